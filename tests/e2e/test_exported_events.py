"""A whole installation's events as Parquet: proven against its stores, and asked what docs/analytics.md asks."""

import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, create_subprocess_exec
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from tests.e2e.installation import Installation
from tests.e2e.soundness import stored_positions

pytestmark = pytest.mark.e2e
PAGE: Final = (Path(__file__).parents[2] / "docs" / "analytics.md").read_text()
SQL: Final = re.compile(r"```sql\n(.*?)```", re.DOTALL)


async def analytics(installation: Installation, *arguments: str, told: str = "") -> tuple[int, str]:
    """`python -m consumers.analytics` on the installation's broker, with this on its standard input."""
    process = await create_subprocess_exec(
        sys.executable,
        *("-m", "consumers.analytics", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, "ANALYTICS_KAFKA_BOOTSTRAP": installation.addresses.broker.bootstrap},
    )
    said, _ = await process.communicate(told.encode())
    return process.returncode or 0, said.decode()


async def test_everything_that_happened_is_exported_and_proven_and_the_questions_of_the_page_are_answered(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (await stored_positions(installation))["rewards"]:  # else the tests before this one ran demos
        await installation.trellis.run_well("demo", within=600)
    verified = await installation.trellis.run_well("log", "verify", "--json")
    folder = str(tmp_path / "analytics")
    code, said = await analytics(installation, "export", folder)
    assert code == 0, said
    code, said = await analytics(installation, "prove", folder, "--against", "-", told=verified)
    assert (code, "no difference: the files hold what the event stores hold" in said) == (0, True), said
    monkeypatch.chdir(tmp_path)
    views, types, *others, doubles = answers()
    assert (views, doubles) == ([], [])
    assert {row[0] for row in types} >= {"goals", "feedback", "reviews", "rewards", "payroll"}
    assert all(others), "a question without an answer"
    progress, _, _, _, money, causes = others
    assert all(0 <= row[1] <= 100 for row in progress)
    assert all(row[1] >= row[2] and row[1] > 0 for row in money)
    assert {row[0] for row in causes} >= {"rewards"}


def answers() -> list[list[Any]]:
    """What each of the page's questions gets, in its order."""
    with duckdb.connect() as connection:
        return [connection.execute(statement).fetchall() for statement in SQL.findall(PAGE)]
