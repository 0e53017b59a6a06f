"""A whole performance cycle on what really runs: it ends with difference 0, twice, and everything adds up."""

import json
from typing import Any

import pytest

from tests.e2e.installation import Installation, demo_of
from tests.e2e.soundness import prove_sound, stored_positions

pytestmark = pytest.mark.e2e
_DEMO_SECONDS = 600.0


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
        print(await run_demo(installation))
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
