"""A goal's past: what its stream says of it at each moment of business time, whatever order that was recorded in."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.goals.domain.measurement import Measured, Reading, measured, progress_now, unmeasured
from services.goals.domain.metric import SAID_IN_PERCENT, Progress
from services.goals.projections.goal_rows import GoalRow, GoalState, SaidHealth, changes, first_row, values_of
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event
from shared.schemas.goal_changes import GoalRetargeted
from shared.schemas.goal_health import GoalHealthSet
from shared.schemas.goal_metrics import MeasuredBy, Metric
from shared.schemas.goals import GoalProgressRecorded, GoalReopened, GoalSet
from shared.schemas.identifiers import GoalId, KpiId, PersonId
from shared.schemas.kpis import GoalBoundToKpi, GoalUnboundFromKpi


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event of a goal's stream: when it happened, when it was known, by whom. Both moments grow with the version."""

    goal: GoalId
    version: int
    event: Event
    occurred_at: datetime
    known_at: datetime
    actor: PersonId


@dataclass(frozen=True, slots=True)
class Past:
    """A goal at a moment: its row as columns, what was measured by then, and the KPI that moved it."""

    values: Mapping[str, Any]
    measured: Measured
    kpi: KpiId | None = None

    @property
    def row(self) -> GoalRow:
        """Its progress is its own: what rolls up to it depends on other goals."""
        return GoalRow(**{**self.values, "progress": self.values["own_progress"]})


@dataclass(frozen=True, slots=True)
class _Step:
    """What a fact changes, and from when on: a reading from the moment it speaks of, anything else when it happened."""

    at: datetime
    fact: Fact
    reading: bool = False

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.fact.version


class Course:
    """A goal over business time, by the facts that were given so far."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
        self._after: list[Past] = []
        self._begins: datetime | None = None

    def __len__(self) -> int:
        """How many changes it holds in memory."""
        return len(self._steps)

    def add(self, facts: Sequence[Fact]) -> datetime | None:
        """From when on the facts that come next in the stream change anything; None: nothing at all.

        What one that is back-dated comes before is gone through again.
        """
        first = len(self._steps)
        for step in (step for fact in facts for step in self._steps_of(fact)):
            place = bisect_right(self._steps, step.order, key=lambda other: other.order)
            self._steps.insert(place, step)
            first = min(first, place)
        del self._after[first:]
        for step in self._steps[first:]:
            self._after.append(_after(self._after[-1] if self._after else None, step))
        return self._steps[first].at if first < len(self._steps) else None

    def forget(self, before: datetime) -> None:
        """The steps before that moment, of which none may follow that comes earlier."""
        count = bisect_left(self._steps, before, key=lambda step: step.at)
        del self._steps[:count]
        del self._after[:count]

    def moments_of(self, fact: Fact) -> list[datetime]:
        """From when on the fact would change something."""
        return [step.at for step in self._steps_of(fact)]

    def at(self, moment: datetime | None) -> Past | None:
        """The goal at the moment; None is the last one. No goal, no past."""
        if moment is None:
            return self._after[-1] if self._after else None
        count = bisect_right(self._steps, moment, key=lambda step: step.at)
        return self._after[count - 1] if count else None

    def moments(self, since: datetime | None = None) -> list[tuple[datetime, Past]]:
        """What the goal was from each moment on, not before `since`; the last word on a moment alone."""
        first = 0 if since is None else bisect_left(self._steps, since, key=lambda step: step.at)
        known = zip(self._steps[first:], self._after[first:], strict=True)
        return list({step.at: past for step, past in known}.items())

    def _steps_of(self, fact: Fact) -> list[_Step]:
        """A reading that speaks of a time before there was a goal holds from the goal's beginning on."""
        if self._begins is None:
            if not isinstance(fact.event, GoalSet):
                return []
            self._begins = fact.occurred_at
        act = _Step(fact.occurred_at, fact)
        if not isinstance(fact.event, GoalProgressRecorded):
            return [act]
        return [_Step(max(fact.event.measured_at, self._begins), fact, reading=True), act]


def course_of(facts: Sequence[Fact]) -> Course:
    """The course by these facts, which come in the stream's order."""
    course = Course()
    course.add(facts)
    return course


def _after(past: Past | None, step: _Step) -> Past:
    event, version = step.fact.event, step.fact.version
    if isinstance(event, GoalSet):
        return Past(values_of(first_row(step.fact.goal, version, event)), unmeasured(event.metric))
    if past is None:
        raise TypeError(f"a goal begins by being set, not by {event.event_type}")
    known = {**past.values, "version": max(version, past.values["version"])}
    if step.reading and isinstance(event, GoalProgressRecorded):
        return _with_reading(past, known, event)
    return replace(past, values={**known, **_changed(past, known, step.fact)}, kpi=_kpi(past, event))


def _with_reading(past: Past, known: dict[str, Any], event: GoalProgressRecorded) -> Past:
    """Who closed a goal signed its figure, whatever is known of it later."""
    reading = Reading(event.value, event.measured_at)
    scale = _scale(known)
    now = measured(scale, past.measured, reading) if scale else past.measured
    if known["state"] is GoalState.ACTIVE:
        latest = now.latest or reading
        said = Progress(raw=event.raw_progress, capped=event.progress, regressed=event.regressed)
        known |= {**_figures(scale, now, said), "value": latest.value, "measured_at": latest.at}
    return replace(past, values=known, measured=now)


def _changed(past: Past, known: Mapping[str, Any], fact: Fact) -> dict[str, Any]:
    """Figures are reckoned from what was measured by then, not from what was known when the event was recorded."""
    match fact.event:
        case GoalProgressRecorded():
            return {"said_health": None}
        case GoalHealthSet() as event:
            return {"said_health": _said(event, fact)}
        case GoalRetargeted() as event:
            return changes(known, event) | _figures(event.metric, past.measured)
        case GoalReopened() as event if past.measured.latest is not None and _scale(known) is not None:
            value = {"value": past.measured.value, "measured_at": past.measured.latest.at}
            return changes(known, event) | value | _figures(_scale(known), past.measured)
        case event:
            return changes(known, event)


def _said(event: GoalHealthSet, fact: Fact) -> SaidHealth:
    return SaidHealth(
        health=event.health,
        reason=event.reason,
        progress=event.progress,
        said_at=fact.occurred_at,
        said_by=fact.actor,
    )


def _scale(known: Mapping[str, Any]) -> Metric | None:
    return SAID_IN_PERCENT if known["measured_by"] == MeasuredBy.MANUAL.value else known["metric"]


def _figures(scale: Metric | None, known: Measured, said: Progress | None = None) -> dict[str, Any]:
    """By all that was measured; `said` where the metric has no place for that."""
    try:
        progress = None if scale is None else progress_now(scale, known)
    except Rejected:
        progress = said
    if progress is None:
        return {}
    return {"own_progress": progress.capped, "raw_progress": progress.raw, "regressed": progress.regressed}


def _kpi(past: Past, event: Event) -> KpiId | None:
    match event:
        case GoalBoundToKpi():
            return event.kpi
        case GoalUnboundFromKpi():
            return None
        case _:
            return past.kpi
