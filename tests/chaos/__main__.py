"""`python -m tests.chaos --duration 600 --seed 7 [--break fence|chain|keys|barrier|seek]`: what `make chaos` runs."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from rich.console import Console

from launcher.brokers import apache, embedded
from tests.chaos.disk import small_disk
from tests.chaos.matrix import Asked, play
from tests.chaos.unguarded import GUARDS
from tests.servers.watchdog import watched


def main() -> int:
    asked, console = _asked(), Console(width=160)
    console.print(f"DURATION={asked.duration:.0f} SEED={asked.seed} BREAK={asked.guard or ''}", highlight=False)
    folder, code = Path(tempfile.mkdtemp(prefix="trellis-chaos-")), 2
    with watched(folder), small_disk(folder / "run" / "postgres") as disk:
        try:
            code = asyncio.run(play(folder / "run", asked, console, disk))
        finally:
            if code != 0:
                _keep_logs(folder / "run", console)
    return code


def _keep_logs(folder: Path, console: Console) -> None:
    """What the processes said and what was asked outlive a run that did not come out."""
    kept = Path(tempfile.mkdtemp(prefix="trellis-chaos-kept-"))
    shutil.copytree(folder / "logs", kept / "logs")
    if (folder / "journal.jsonl").exists():
        shutil.copy(folder / "journal.jsonl", kept)
    console.print(f"logs and journal: {kept}")


def _asked() -> Asked:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--duration", type=float, default=600.0, help="seconds under faults")
    parser.add_argument("--seed", type=int, help="of everything that is random; unset: one is chosen, and printed")
    parser.add_argument("--only", action="append", metavar="FAULT", help="inject no other kind; may be repeated")
    parser.add_argument("--break", dest="guard", choices=[*GUARDS], help="go without this guard")
    given = parser.parse_args()
    kafka = apache.KIND if apache.available() else embedded.KIND
    seed = SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    return Asked(given.duration, seed, kafka, guard=given.guard, only=given.only)


if __name__ == "__main__":
    sys.exit(main())
