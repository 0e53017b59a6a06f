"""The verdict on a chaotic run: what the proof and the witnesses say, by fault, as a table and in one last line."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.table import Table

from launcher.processes import SERVICES
from tests.chaos.run import Run
from tests.chaos.windows import NO_FAULT
from tests.chaos.witness import Testimony, testimony
from tests.e2e.acknowledged import JournalLine, journal_of
from tests.e2e.soundness import Soundness, examine
from tests.e2e.stored import StoredEvent, event_log


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it. `lost` and `doubled` count commands and events, by the fault under which they were sent."""

    sound: Soundness
    testimonies: Mapping[str, Testimony]
    lost: Counter[str]
    doubled: Counter[str]
    faults: Sequence[str]
    commands: Counter[str]
    acknowledged: Counter[str]

    @property
    def well(self) -> bool:
        return not self.faults


async def judge(run: Run, *, within: float = 120) -> Verdict:
    """Wait until all is still, then compare everything; `within` seconds."""
    installation = run.rig.installation
    sound = await examine(installation, since=None, within=within)
    testimonies = {
        service: await testimony(
            installation.addresses.postgres, await event_log(installation.addresses.postgres, service)
        )
        for service in SERVICES
    }
    journal = journal_of(installation.journal)
    by_correlation = {line["correlation"]: line for line in journal}

    def faults_of(events: Iterable[StoredEvent]) -> Counter[str]:
        lines = (by_correlation.get(event.metadata.get("correlation_id", "")) for event in events)
        return Counter(run.windows.fault_of(line["window"]) if line else NO_FAULT for line in lines)

    lost, doubled = Counter[str](), Counter[str]()
    for audit in sound.audits.values():
        lost.update(map(run.windows.fault_of, audit.windows_of_lost))
        doubled.update(map(run.windows.fault_of, audit.windows_of_doubled))
    for service, said in testimonies.items():
        unpublished = {event.position: event for event in sound.unpublished.get(service, ())}
        lost.update(faults_of({**unpublished, **{event.position: event for event in said.lost}}.values()))
        doubled.update(faults_of(said.doubled))
    return Verdict(
        sound=sound,
        testimonies=testimonies,
        lost=lost,
        doubled=doubled,
        faults=[*sound.faults, *_complaints(testimonies)],
        commands=_by_fault(run, journal),
        acknowledged=_by_fault(run, [line for line in journal if line["outcome"] == "acknowledged"]),
    )


def with_restore(run: Run, verdict: Verdict, complaints: Sequence[str]) -> Verdict:
    """The verdict, to which the last fault is added, which ended the comparability of the rest."""
    journal = journal_of(run.rig.installation.journal)
    return replace(
        verdict,
        faults=[*verdict.faults, *complaints],
        commands=_by_fault(run, journal),
        acknowledged=_by_fault(run, [line for line in journal if line["outcome"] == "acknowledged"]),
    )


def _complaints(testimonies: Mapping[str, Testimony]) -> list[str]:
    found: list[str] = []
    for service, said in testimonies.items():
        for what, events in (("never given", said.lost), ("given more than once", said.doubled)):
            if events:
                some = ", ".join(f"{event.stream} {event.version}" for event in events[:3])
                found.append(f"{service}: {len(events)} events were {what} to the witness, such as {some}")
        if said.disordered:
            found.append(f"{service}: {len(said.disordered)} streams came out of order: {said.disordered[:3]}")
    return found


def _by_fault(run: Run, lines: Iterable[JournalLine]) -> Counter[str]:
    return Counter(run.windows.fault_of(line["window"]) for line in lines)


def table(run: Run, verdict: Verdict) -> Table:
    """A row for each kind of fault, one for the time without, and their sums."""
    columns = ("times injected", "commands", "acknowledged", "lost", "doubled", "longest unavailability")
    shown = Table("fault", title="The fault matrix", title_justify="left", title_style="bold")
    for column in columns:
        shown.add_column(column, justify="right")
    rows = (NO_FAULT, *run.names)
    for fault in rows:
        seconds, service = run.windows.longest_unavailability(fault)
        shown.add_row(
            fault,
            "" if fault == NO_FAULT else str(run.injected[fault]),
            str(verdict.commands[fault]),
            str(verdict.acknowledged[fault]),
            str(verdict.lost[fault]),
            str(verdict.doubled[fault]),
            f"{seconds:.1f} s, {service}" if service else "",
        )
    shown.add_section()
    counted = (run.injected, verdict.commands, verdict.acknowledged, verdict.lost, verdict.doubled)
    shown.add_row("all", *(str(sum(count[fault] for fault in rows)) for count in counted), "")
    return shown


def last_line(run: Run, verdict: Verdict) -> str:
    """How many of each, on one line."""
    kinds = ", ".join(f"{name} {run.injected[name]}" for name in run.names)
    return (
        f"{run.injected.total()} faults, {verdict.acknowledged.total()} commands acknowledged, "
        f"{verdict.lost.total()} lost, {verdict.doubled.total()} doubled, {len(verdict.faults)} complaints: {kinds}"
    )
