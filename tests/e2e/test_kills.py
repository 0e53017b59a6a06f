"""Every kind of process is killed under running demos, and nothing acknowledged is lost and nothing paid twice.

A few are killed, one of each sort; `TRELLIS_TEST_KILLS=10` kills an api, a worker, the broker, PostgreSQL and what else
there is ten times each, which takes a quarter of an hour; `TRELLIS_TEST_SEED` repeats a run.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest

from launcher.servers import BROKER, POSTGRES
from tests.e2e.installation import Installation
from tests.e2e.kills import EVERYTHING, KINDS, kill_under_demos
from tests.e2e.soundness import prove_sound, stored_positions

pytestmark = pytest.mark.e2e


def planned(random: Random) -> list[str]:
    """What is killed, in turn: each sort as often as is asked for, else five, each of another sort."""
    apis, workers = ([kind for kind in KINDS if kind.endswith(role)] for role in ("-api", "-worker"))
    times = int(os.environ.get("TRELLIS_TEST_KILLS", "0"))
    if times:
        sorts = [apis, workers, *([kind] for kind in KINDS if kind not in {*apis, *workers})]
        kinds = [random.choice(sort) for sort in sorts for _ in range(times)]
    else:
        kinds = [random.choice(apis), random.choice(workers), "payroll", BROKER, random.choice([POSTGRES, EVERYTHING])]
    random.shuffle(kinds)
    return kinds


@pytest.fixture
def logs_kept(installation: Installation, tmp_path: Path) -> Iterator[None]:
    """What the processes logged outlives the installation: a fault under kills is hard to get twice."""
    yield
    shutil.copytree(installation.folder / "logs", tmp_path / "logs")
    print(f"logs: {tmp_path / 'logs'}")


@pytest.mark.usefixtures("logs_kept")
async def test_nothing_is_lost_and_nothing_is_paid_twice_whatever_is_killed(installation: Installation) -> None:
    seed = os.environ.get("TRELLIS_TEST_SEED") or str(SystemRandom().randrange(1_000_000))
    kinds = planned(random := Random(seed))
    print(f"TRELLIS_TEST_SEED={seed}: {len(kinds)} kills")
    before = await stored_positions(installation)
    done = await kill_under_demos(installation, kinds, random)
    sound = await prove_sound(installation, since=before)
    slowest = max(done.kills, key=lambda kill: kill.up_seconds)
    print(f"{dict(Counter(kill.kind for kill in done.kills))} under {done.demos} demos; {sound};")
    print(f"slowest way back: {slowest.up_seconds:.1f} s after {slowest.kind}")
    assert sum(audit.commands for audit in sound.audits.values()) >= 2_000 * done.demos
