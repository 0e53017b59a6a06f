"""A whole performance cycle on what really runs: it ends with difference 0, twice, and everything adds up."""

import json
import re
from typing import Any

import pytest

from tests.e2e.installation import Installation, demo_of
from tests.e2e.soundness import prove_sound, stored_positions

pytestmark = pytest.mark.e2e
_DEMO_SECONDS = 600.0
OTHERS = (
    "Accounting",
    "Administration",
    "Executive",
    "Finance",
    "Human Resources",
    "Public Relations",
    "Purchasing",
    "Shipping",
)


STRATEGY = {
    ("Customers come back to us", "", "", "68.52", "active"),
    ("95 % of tickets within 24 hours", "Sales", "95 %", "100.00", "achieved"),
    ("Engagement up by 20 %", "Marketing", "", "85.00", "active"),
    ("The new shop is open", "IT", "", "88.75", "active"),
    *(("Each of us listens to a customer", team, "60 %", "60.00", "active") for team in OTHERS),
}
"""What the demo shows of the strategic goal and of what each of the 11 departments brings to it."""


COVERAGE = {
    "everybody's goals and the departments'": ("225", "225", "100.00"),
    "with one that hangs below none": ("225", "226", "99.56"),
    "once it is aligned": ("226", "226", "100.00"),
}
"""Two goals of each of 107 people and one of each of 11 departments, and the one that is planted."""


def rows_of(printed: str, title: str) -> set[tuple[str, ...]]:
    """The rows of a table."""
    table = printed.partition(title)[2].partition("└")[0]
    lines = [line.strip("│ ").split("│") for line in table.splitlines() if line.startswith("│")]
    return {tuple(cell.strip() for cell in line) for line in lines}


def departments(printed: str) -> list[int]:
    """How many of the 11 have every goal aligned, as the table of coverage says row by row."""
    rows = {row[0]: row[1:] for row in rows_of(printed, "Alignment coverage")}
    assert {of: row[:3] for of, row in rows.items()} == COVERAGE
    assert all(row[3].endswith(" of 11") for row in rows.values())
    return [int(rows[of][3].split()[0]) for of in COVERAGE]


async def run_demo(installation: Installation) -> str:
    """What a demo printed that ended well."""
    async with demo_of(installation) as demo:
        assert await demo.ended(within=_DEMO_SECONDS), demo.printed()
        assert demo.process.returncode == 0, demo.printed()
        return demo.printed()


async def reconciled(installation: Installation) -> dict[str, Any]:
    """What `trellis reconcile --json` says, which ends with 0 only if there is no difference."""
    return json.loads(await installation.trellis.run_well("reconcile", "--json"))


async def test_a_demo_and_another_one_end_with_difference_0_and_lose_nothing(installation: Installation) -> None:
    before = await stored_positions(installation)
    paid: list[int] = []
    for number in (1, 2):
        print(printed := await run_demo(installation))
        assert rows_of(printed, "The strategy, by department") == STRATEGY
        aligned, orphaned, realigned = departments(printed)
        assert aligned == realigned == orphaned + 1 >= 10, "other tests may have left a department's goal alone"
        assert re.search(r"people with a manager, known to goals +106\n", printed), "the president has none"
        sound = await prove_sound(installation, since=before)
        print(sound)
        found = await reconciled(installation)
        assert (found["difference"], found["mismatches"]) == (0, [])
        for line in found["currencies"]:
            assert line["approved"] == line["issued"] == line["accepted"] == line["paid"] > 0
        paid.append(sound.payments)
        assert sound.events > 2_000 * number
    assert 0 < paid[0] < paid[1]
    status = await installation.trellis.status()
    assert status["ready"], status
