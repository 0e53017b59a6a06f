"""The fault matrix played on an installation of its own: every kind of fault, or one guard less and what reveals it."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console

import launcher
from launcher.brokers import apache
from launcher.process import collect_ended
from tests.chaos import restore
from tests.chaos.faults import FAULTS, Kind, possible
from tests.chaos.journal import Journal
from tests.chaos.rig import Rig
from tests.chaos.run import Run
from tests.chaos.service import ALL_GUARDS
from tests.chaos.verdict import Verdict, judge, last_line, table, with_restore
from tests.e2e.installation import Installation, installed

_SAMPLE: Final = Path(launcher.__file__).parent / "company" / "hr_employees.csv"
REVEALING: Final = {
    "fence": ("rebalance storm",),
    "chain": ("SIGKILL of the relay's worker",),
    "keys": ("SIGKILL of an api",),
    "barrier": ("SIGSTOP of a session inside an append",),
    "seek": ("session of a projector cut in mid-batch",),
}
"""What a missing guard is hit with: the faults that it is there for."""
_ROUND_SECONDS: Final = 30.0
_MISSED_SECONDS: Final = 20.0
"""How long a run without a guard waits for what will never come."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Seconds under faults, the seed of all that is random, the broker; without which guard; None: every kind."""

    duration: float
    seed: int
    kafka: str
    guard: str | None = None
    only: Sequence[str] | None = None

    def wants(self, name: str) -> bool:
        if self.guard is not None:
            return name in REVEALING[self.guard]
        return self.only is None or name in self.only


async def play(folder: Path, asked: Asked, console: Console, disk: Path | None) -> int:
    """The exit code: 0 where nothing was lost or doubled and every kind of fault was injected."""
    try:
        return await _play(folder, asked, console, disk)
    finally:
        collect_ended()


async def _play(folder: Path, asked: Asked, console: Console, disk: Path | None) -> int:
    guard, workers = asked.guard or ALL_GUARDS, 2 if asked.kafka == apache.KIND else 1
    program = ("tests.chaos.launch", guard)
    async with installed(folder, kafka=asked.kafka, workers=workers, program=program) as running:
        await running.trellis.run_well("people", "import", str(_SAMPLE))
        rig = Rig(running, Random(asked.seed), guard, at_the_witness=asked.guard is not None)
        last = tuple(name for name in (restore.NAME,) if asked.wants(name))
        with closing(Journal(running.journal)) as journal:
            run = Run(rig, _kinds(running, asked, console, disk), journal, console, last=last)
            if asked.guard:
                return await _without_a_guard(run, asked.duration)
            return await _whole(run, asked.duration)


def _kinds(installation: Installation, asked: Asked, console: Console, disk: Path | None) -> dict[str, Kind]:
    broker = installation.addresses.broker
    there = possible(groups=broker.consumer_groups, durable=broker.durable, disk=disk)
    for name, kind in FAULTS.items():
        if name not in there and asked.wants(name):
            console.print(f"[yellow]left out: {name}, which needs {kind.needs}")
    return {name: kind for name, kind in there.items() if asked.wants(name)}


async def _whole(run: Run, seconds: float) -> int:
    if run.kinds:
        await run.under_load(seconds)
        await run.rig.bring_back()
    verdict = await judge(run)
    for _ in run.last:
        _show(run, verdict)
        verdict = with_restore(run, verdict, await restore.an_older_backup(run))
    _show(run, verdict)
    return 0 if verdict.well and not run.missing() else 1


async def _without_a_guard(run: Run, seconds: float) -> int:
    """Rounds of load and proof until the proof misses the guard. Never 0: it is missed, or the proof is blind."""
    began = time.monotonic()
    while True:
        await run.under_load(_ROUND_SECONDS)
        await run.rig.bring_back()
        verdict = await judge(run, within=_MISSED_SECONDS)
        passed = time.monotonic() - began
        if not verdict.well or passed > seconds:
            break
    _show(run, verdict)
    found = "found it" if not verdict.well else "was blind to it"
    run.console.print(f"without {run.rig.guard}: the proof {found} after {passed:.0f} s")
    return 1


def _show(run: Run, verdict: Verdict) -> None:
    say = run.console.print
    say(table(run, verdict))
    say(f"{verdict.sound}", highlight=False)
    say(f"{run.cycles} whole cycles; {len(run.broken)} ended early: {run.broken[:3]}", highlight=False)
    for complaint in verdict.faults:
        say(f"- {complaint}", style="red", markup=False, highlight=False)
    say(last_line(run, verdict), highlight=False, soft_wrap=True)
