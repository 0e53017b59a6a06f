"""A stage of the demo that waits for others gives up when they do nothing, and says how far they came."""

from pathlib import Path

import pytest
from rich.progress import Progress

from launcher.demo_cycle.client import Client
from launcher.demo_cycle.company import Company
from launcher.demo_cycle.journal import Journal
from launcher.demo_cycle.stage import Stage
from launcher.failure import LaunchFailed


def stage(folder: Path, *, patience: float) -> Stage:
    client = Client(folder, {}, Journal(None))
    return Stage(client, Company([]), ("2026-01-01", "2026-12-31"), 1, Progress(), patience)


async def test_what_never_comes_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async def stuck() -> tuple[int, int]:
        return 106, 107

    with pytest.raises(LaunchFailed, match="rewards proposed: 106 of 107, and no more for 0 s"):
        await stage(tmp_path, patience=0.2).until("rewards proposed", stuck)


async def test_what_comes_slowly_is_waited_for(tmp_path: Path) -> None:
    answers = iter(range(5))

    async def slow() -> tuple[int, int]:
        return next(answers), 4

    await stage(tmp_path, patience=0.15).until("rewards proposed", slow)
    assert list(answers) == []
