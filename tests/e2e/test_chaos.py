"""The fault matrix in short: a few faults under load, and nothing is lost or doubled. `make chaos` plays all of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom

import pytest
from rich.console import Console

from launcher.brokers import apache, embedded
from tests.chaos.matrix import Asked, play

pytestmark = pytest.mark.e2e
FAULTS = (
    "SIGKILL of an api",
    "SIGKILL of the relay's worker",
    "SIGSTOP of a session inside an append",
    "session of a projector cut in mid-batch",
)


def kafka() -> str:
    """Apache Kafka, with two workers of each service, where this machine has what it takes."""
    refused = os.environ.get("TRELLIS_TEST_KAFKA") == "embedded"
    return embedded.KIND if refused or not apache.available() else apache.KIND


@pytest.fixture
def folder(server_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """Where it is played; what the processes logged is kept."""
    playing = server_folder / "chaos"
    yield playing
    shutil.copytree(playing / "logs", tmp_path / "logs")
    print(f"logs: {tmp_path / 'logs'}")


async def test_nothing_is_lost_or_doubled_under_a_few_faults(folder: Path) -> None:
    seed = int(os.environ.get("TRELLIS_TEST_SEED") or SystemRandom().randrange(1_000_000))
    print(f"TRELLIS_TEST_SEED={seed}")
    asked = Asked(duration=10, seed=seed, kafka=kafka(), only=FAULTS)
    assert await play(folder, asked, Console(width=160), None) == 0
