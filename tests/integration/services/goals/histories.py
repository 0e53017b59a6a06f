"""Random histories of a few goals, decided by the domain itself, and what they come to at any moment, by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import AchieveGoal, CancelGoal, ReopenGoal
from services.goals.domain.goal_health import SetHealth
from services.goals.domain.goal_measure import ChooseMeasure
from services.goals.domain.goal_states import Active, Goal
from services.goals.domain.metric import KeepBody, MetricBody
from services.goals.projections.past_goals import Moment
from shared.eventsourcing.decider import Command, Rejected
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_changes import GoalRetargeted
from shared.schemas.goal_health import Health
from shared.schemas.goal_metrics import GoalMeasureChosen, KeepPeriod, MeasuredBy, MetricKind
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalLevel,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.published import recorded
from tests.unit.services.goals.commands import BY_THE_OWNER, align, parent, record, retarget, set_goal
from tests.unit.services.goals.examples import JUNE, NOW

COUNT: Final = 5
TOP: Final = 0
"""The goal of the organization; the others are a team's."""
KEPT: Final = 4
"""The goal that is measured by bounds to keep; the others run from 200 down to a target."""
MINUTE: Final = timedelta(minutes=1)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["measure"] * 5 + ["align"] * 3 + ["source", "retarget", "achieve", "reopen", "cancel", "say", "pause"]
        ),
        st.integers(0, COUNT - 1),
        st.integers(-1, COUNT - 1),
        st.integers(0, 30),
        st.integers(0, 60),
    ),
    min_size=5,
    max_size=30,
)
sources = st.lists(st.booleans(), min_size=COUNT, max_size=COUNT)


def _half_minutes(first: int) -> st.SearchStrategy[datetime | None]:
    return st.none() | st.integers(first, 80).map(lambda count: NOW + count * MINUTE / 2)


moments = st.lists(st.builds(Moment, at=_half_minutes(-20), known=_half_minutes(-2)), min_size=5, max_size=5)


class Company:
    """The write side: what is refused is not done. Each step is a minute, and is known with the one before or after.

    `done` are the commands that were accepted; the goals' ids count on from `first`.
    """

    def __init__(self, sources: Sequence[bool], *, first: int = 0) -> None:
        self.first = first
        self.done: list[tuple[GoalId, Command]] = []
        self.log: list[Recorded] = []
        self.now, self.known = NOW, NOW
        self.states: dict[int, Goal] = dict.fromkeys(range(COUNT), GOAL.initial)
        self.versions = dict.fromkeys(range(COUNT), 0)
        self.parents: dict[int, int] = {}
        for goal, measured in enumerate(sources):
            metric = MetricBody(kind=MetricKind.NUMBER, start=Decimal(200), target=Decimal(0), unit="tickets")
            if goal == KEPT:
                bound = KeepBody(least=Decimal(10), period=KeepPeriod.DAY)
                metric = MetricBody(kind=MetricKind.KEEP, keep=bound, unit="tickets")
            level = {"level": GoalLevel.ORGANIZATION, "team": None} if goal == TOP else {}
            self._do(goal, set_goal(goal=self.id_of(goal), metric=metric if measured else None, **level))

    def do(self, step: str, goal: int, other: int, amount: int, back: int) -> None:
        self.now += MINUTE
        self.known = self.known if back % 3 == 0 else self.now
        now: dict[str, Any] = {**BY_THE_OWNER, "at": self.now}
        match step:
            case "measure":
                measured_at = self.now - back * MINUTE * (60 if goal == KEPT else 1)
                self._do(goal, record(str(amount), at=self.now, measured_at=measured_at))
            case "align":
                self._align(goal, other, amount)
            case "source":
                by = MeasuredBy.METRIC if amount % 2 else MeasuredBy.CHILDREN
                self._do(goal, ChooseMeasure(measured_by=by, **now))
            case "retarget" if goal != KEPT:
                self._do(goal, retarget(str(amount)))
            case "achieve":
                state, shown = self.states[goal], Decimal(amount)
                figure = {"rolled_up": shown} if isinstance(state, Active) and state.scale is None else {"value": shown}
                self._do(goal, AchieveGoal(closed_on=JUNE, **figure, **now))
            case "reopen":
                self._do(goal, ReopenGoal(reason="too-early", goal=self.id_of(goal), **now))
            case "cancel":
                self._do(goal, CancelGoal(reason="merged", **now))
            case "say":
                self._do(goal, SetHealth(health=Health.AT_RISK, reason="so it seems", **now))
            case _:
                pass

    def _align(self, goal: int, other: int, weight: int) -> None:
        it, to = self.id_of(goal), self.id_of(other) if other >= 0 else None
        if to is None:
            if self._do(goal, align(at=self.now, goal=it, parent=None, parent_goal=None)):
                self.parents.pop(goal, None)
        elif goal not in self._line(other):
            placed = parent.model_copy(update={"goal": to, "ancestors": ()})
            moved = align(at=self.now, goal=it, parent=to, parent_goal=placed, weight=Decimal(weight))
            if self._do(goal, moved):
                self.parents[goal] = other

    def _do(self, goal: int, command: Command) -> bool:
        try:
            events = GOAL.decide(self.states[goal], command)
        except Rejected:
            return False
        if events:
            self.done.append((self.id_of(goal), command))
        for event in events:
            self.states[goal] = GOAL.evolve(self.states[goal], event)
            self.versions[goal] += 1
            told = recorded(event, stream=self.id_of(goal), version=self.versions[goal])
            envelope = replace(told.envelope, time=self.now, recorded_at=self.known)
            self.log.append(replace(told, envelope=envelope))
        return bool(events)

    def id_of(self, goal: int) -> GoalId:
        return GoalId(UUID(int=self.first + goal))

    def _line(self, goal: int) -> list[int]:
        line = [goal]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return line


@dataclass(slots=True)
class Then:
    """A goal at a moment, by the definition: acts count from when they happened, readings from what they speak of."""

    acts: Sequence[Recorded]
    readings: Sequence[tuple[datetime, int, GoalProgressRecorded]]

    def last(self, *kinds: type[Event]) -> Any:
        found = [act for act in self.acts if isinstance(act.event, kinds)]
        return found[-1] if found else None

    @property
    def placed(self) -> tuple[GoalId | None, Decimal]:
        event = self.last(GoalSet, GoalAligned).event
        return event.parent, event.weight

    @property
    def cancelled(self) -> bool:
        return isinstance(self._closing, GoalCancelled)

    @property
    def _closing(self) -> Event | None:
        last = self.last(GoalAchieved, GoalCancelled, GoalReopened)
        return None if last is None else last.event

    @property
    def by_children(self) -> bool:
        first, chosen = self.acts[0].event, self.last(GoalMeasureChosen)
        assert isinstance(first, GoalSet)
        source = first.source if chosen is None else chosen.event.measured_by
        signed = isinstance(self._closing, GoalAchieved) and self.own is not None
        return source is MeasuredBy.CHILDREN and not signed

    @property
    def own(self) -> Decimal | None:
        first, retargeted = self.acts[0].event, self.last(GoalRetargeted)
        assert isinstance(first, GoalSet)
        metric = first.metric if retargeted is None else retargeted.event.metric
        if isinstance(closing := self._closing, GoalAchieved):
            return closing.progress
        readings = self.readings
        if isinstance(closing, GoalCancelled):
            end = self.last(GoalCancelled)
            readings = [one for one in readings if one[:2] < (end.envelope.time, end.version)]
        if metric is None:
            return None
        if metric.keep is not None:
            days = {event.measured_at.date(): event.value for _, _, event in _in_order(readings)}
            kept = sum(value >= 10 for value in days.values())
            return _rounded(Decimal(100 * kept) / len(days)) if days else None
        value = _in_order(readings)[-1][2].value if readings else Decimal(200)
        assert metric.target is not None
        return min(max(_rounded((200 - value) * 100 / (200 - metric.target)), Decimal(0)), Decimal(100))


def _in_order(
    readings: Sequence[tuple[datetime, int, GoalProgressRecorded]],
) -> list[tuple[datetime, int, GoalProgressRecorded]]:
    return sorted(readings, key=lambda one: (one[2].measured_at, one[1]))


def _rounded(percent: Decimal) -> Decimal:
    return percent.quantize(Decimal("1e-12"), ROUND_HALF_UP)


def folded(log: Sequence[Recorded], moment: Moment, *, first: int = 0) -> dict[GoalId, Decimal | None]:
    """The progress of every goal that there was at the moment, by all that was known at the other: top down."""
    there: dict[GoalId, Then] = {}
    for number in range(first, first + COUNT):
        told = [one for one in log if one.stream_id == UUID(int=number)]
        told = [one for one in told if moment.known is None or one.envelope.recorded_at <= moment.known]
        acts = [one for one in told if moment.at is None or one.envelope.time <= moment.at]
        if acts:
            begins = told[0].envelope.time
            readings = [
                (max(one.event.measured_at, begins), one.version, one.event)
                for one in told
                if isinstance(one.event, GoalProgressRecorded)
            ]
            readings = [one for one in readings if moment.at is None or one[0] <= moment.at]
            there[GoalId(UUID(int=number))] = Then(acts, readings)

    def of(goal: GoalId) -> Decimal | None:
        then = there[goal]
        if not then.by_children:
            return then.own
        below = [
            (one.placed[1], of(child)) for child, one in there.items() if one.placed[0] == goal and not one.cancelled
        ]
        counted = [(weight, progress) for weight, progress in below if progress is not None]
        total = sum(weight for weight, _ in counted)
        return _rounded(sum(w * p for w, p in counted) / Decimal(total)) if total else None

    return {goal: of(goal) for goal in there}
