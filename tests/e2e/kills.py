"""Kills processes of an installation under running demos, at random moments, and brings it up again."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final

import psutil

from launcher.processes import NAMES
from launcher.servers import BROKER, POSTGRES
from tests.e2e.installation import Demo, Installation, demo_of

POSTGRES_SESSION: Final = "a process of PostgreSQL"
EVERYTHING: Final = "everything at once"
KINDS: Final = (*NAMES, BROKER, POSTGRES, POSTGRES_SESSION, EVERYTHING)
"""`postgres` is the server: alone or with all its sessions. What else is named here is a process of the launcher's."""
_LONGEST_PAUSE: Final = 4.0
_DEMO_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL, and how long `trellis up` took afterwards (seconds)."""

    kind: str
    up_seconds: float


@dataclass(slots=True)
class Killing:
    """What was done so far."""

    kills: list[Kill] = field(default_factory=list[Kill])
    demos: int = 0


async def kill_under_demos(installation: Installation, kinds: Sequence[str], random: Random) -> Killing:
    """Kill one process of each of these kinds in turn; each demo goes on and ends well, however often it is hit."""
    left, done = list(kinds), Killing()
    while left:
        async with demo_of(installation) as demo:
            done.demos += 1
            await demo.under_way()
            while left and not await demo.ended(within=random.uniform(0.2, _LONGEST_PAUSE)):
                kill = await _kill(installation, left.pop(0), random)
                done.kills.append(kill)
                print(f"{len(done.kills):4} SIGKILL {kill.kind}: up again after {kill.up_seconds:.1f} s", flush=True)
            await _ended_well(installation, demo)
    return done


async def _kill(installation: Installation, kind: str, random: Random) -> Kill:
    for pid in _victims(installation, kind, random):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    await installation.trellis.up()
    return Kill(kind, time.monotonic() - began)


def _victims(installation: Installation, kind: str, random: Random) -> list[int]:
    pids = {name: process.pid for name, process in installation.trellis.processes().items()}
    sessions = [child.pid for child in psutil.Process(pids[POSTGRES]).children(recursive=True)]
    if kind == POSTGRES:
        return [pids[POSTGRES], *(sessions if random.random() < 0.5 else [])]
    if kind == POSTGRES_SESSION:
        return [random.choice(sessions)]
    if kind == EVERYTHING:
        return [*pids.values(), *sessions]
    return [pids[kind]]


async def _ended_well(installation: Installation, demo: Demo) -> None:
    hangs = not await demo.ended(within=_DEMO_SECONDS)
    if hangs or demo.process.returncode != 0:
        status = await installation.trellis.run("status", "--json")
        said = f"{demo.printed()[-3000:]}\n{errors_logged(installation)}\n{status.output}"
        raise AssertionError(f"the demo {'hangs' if hangs else 'failed'}:\n{said}")


def errors_logged(installation: Installation) -> str:
    """The last errors that each process has logged."""
    found: list[str] = []
    for log in sorted((installation.folder / "logs").glob("*.log")):
        errors = [line for line in log.read_text(errors="replace").splitlines() if '"level": "error"' in line]
        found += [f"{log.name}: {line[:3000]}" for line in errors[-3:]]
    return "\n".join(found)
