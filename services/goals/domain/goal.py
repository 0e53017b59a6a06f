"""Goal: set at a level, aligned under a parent, measured, and closed by a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from services.goals.domain.metric import Figure, MetricBody, metric_of, progress_of
from services.goals.domain.parent import ParentGoal, Placed, refuse_wrong_parent
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
    Metric,
    ProgressSource,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, Known, ReasonCode, ShortText

Share = Annotated[DecimalString, Field(ge=0, max_digits=12, decimal_places=4)]
"""What a goal counts in its parent's roll-up, relative to its siblings; 0 is allowed."""


# -- what happened, as far as decisions need it


@dataclass(frozen=True, slots=True)
class NotSet: ...


@dataclass(frozen=True, slots=True)
class Active:
    level: GoalLevel
    owner: PersonId
    metric: Metric | None
    current: Decimal | None
    parent: GoalId | None
    weight: Decimal
    starts_on: date
    ends_on: date
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Achieved:
    level: GoalLevel
    owner: PersonId
    value: Decimal | None
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Cancelled:
    level: GoalLevel
    owner: PersonId
    starts_on: date
    ends_on: date


Goal = NotSet | Active | Achieved | Cancelled
GoalEvent = GoalSet | GoalAligned | GoalProgressRecorded | GoalAchieved | GoalCancelled | GoalExpired


# -- what may be asked for


class SetGoalBody(RequestBody):
    level: Known[GoalLevel]
    owner: PersonId
    team: ShortText | None = None
    title: ShortText
    metric: MetricBody | None = None
    starts_on: date
    ends_on: date
    parent: GoalId | None = None
    weight: Share = Decimal(1)


class SetGoal(SetGoalBody, Placed, Command):
    """`goal` is the new goal's id."""


class AlignGoalBody(RequestBody):
    """Under which parent (null: under none), and how much it counts there."""

    parent: GoalId | None
    weight: Share = Decimal(1)


class AlignGoal(AlignGoalBody, Placed, Command): ...


class RecordProgressBody(RequestBody):
    value: Figure
    measured_at: AwareDatetime | None = None
    source: Known[ProgressSource] = ProgressSource.MANUAL


class RecordProgress(RecordProgressBody, Command): ...


class AchieveGoalBody(RequestBody):
    """`value` is the final one; left out, it is the last one recorded."""

    value: Figure | None = None
    closed_on: date


class AchieveGoal(AchieveGoalBody, Command): ...


class CancelGoalBody(RequestBody):
    reason: ReasonCode


class CancelGoal(CancelGoalBody, Command): ...


class ExpireGoal(Command):
    """A day has ended in the zone: `ended_on`, at `due_at`, and that was found so many seconds later."""

    ended_on: date
    zone: str
    due_at: AwareDatetime
    late_seconds: int


GoalCommand = SetGoal | AlignGoal | RecordProgress | AchieveGoal | CancelGoal | ExpireGoal


# -- what then holds


def evolve(goal: Goal, event: GoalEvent) -> Goal:
    match event:
        case GoalSet():
            return _active(event)
        case GoalAligned() if isinstance(goal, Active):
            return replace(goal, parent=event.parent, weight=event.weight)
        case GoalProgressRecorded() if isinstance(goal, Active):
            return replace(goal, current=event.value)
        case GoalExpired() if isinstance(goal, Active):
            return replace(goal, expired=True)
        case GoalAchieved() if isinstance(goal, Active):
            return Achieved(goal.level, goal.owner, event.value, goal.starts_on, goal.ends_on)
        case GoalCancelled() if isinstance(goal, Active):
            return Cancelled(goal.level, goal.owner, goal.starts_on, goal.ends_on)
        case _:
            return goal


def _active(event: GoalSet) -> Active:
    return Active(
        level=event.level,
        owner=event.owner,
        metric=event.metric,
        current=event.metric.start if event.metric else None,
        parent=event.parent,
        weight=event.weight,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
    )


def as_parent(goal: Goal, identity: GoalId, ancestors: Sequence[GoalId]) -> ParentGoal | None:
    """What a goal below needs to know of this one; None if it was never set."""
    if isinstance(goal, NotSet):
        return None
    return ParentGoal(
        goal=identity,
        active=isinstance(goal, Active),
        starts_on=goal.starts_on,
        ends_on=goal.ends_on,
        ancestors=tuple(ancestors),
    )


# -- what may happen


def decide(goal: Goal, command: GoalCommand) -> Sequence[GoalEvent]:
    match command:
        case SetGoal():
            return set_goal(goal, command)
        case AlignGoal():
            return align(goal, command)
        case RecordProgress():
            return record_progress(goal, command)
        case AchieveGoal():
            return achieve(goal, command)
        case CancelGoal():
            return cancel(goal, command)
        case ExpireGoal():
            return expire(goal, command)


def set_goal(goal: Goal, command: SetGoal) -> Sequence[GoalEvent]:
    if not isinstance(goal, NotSet):
        raise Rejected("goal-is-already-set", goal=command.goal)
    if (command.level is GoalLevel.TEAM) != (command.team is not None):
        raise Rejected("team-goal-must-name-its-team", level=command.level, team=command.team)
    if command.ends_on < command.starts_on:
        raise Rejected("goal-must-not-end-before-it-starts", starts_on=command.starts_on, ends_on=command.ends_on)
    refuse_wrong_parent(command, command.parent, command.starts_on, command.ends_on)
    personal = command.level is GoalLevel.PERSON
    return [
        GoalSet(
            level=command.level,
            owner=command.owner,
            team=command.team,
            title=PersonalText.about(command.owner, command.title) if personal else command.title,
            metric=metric_of(command.metric) if command.metric else None,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            parent=command.parent,
            weight=command.weight,
        )
    ]


def align(goal: Goal, command: AlignGoal) -> Sequence[GoalEvent]:
    active = _active_or_rejected(goal)
    if (active.parent, active.weight) == (command.parent, command.weight):
        return []
    refuse_wrong_parent(command, command.parent, active.starts_on, active.ends_on)
    return [GoalAligned(parent=command.parent, previous_parent=active.parent, weight=command.weight)]


def record_progress(goal: Goal, command: RecordProgress) -> Sequence[GoalEvent]:
    active = _active_or_rejected(goal)
    if active.metric is None:
        raise Rejected("goal-has-no-metric")
    if command.value == active.current:
        return []
    progress = progress_of(active.metric, command.value)
    return [
        GoalProgressRecorded(
            value=command.value,
            raw_progress=progress.raw,
            progress=progress.capped,
            regressed=progress.regressed,
            measured_at=command.measured_at or command.at,
            source=command.source,
        )
    ]


def achieve(goal: Goal, command: AchieveGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Achieved) and command.value in (None, goal.value):
        return []
    active = _active_or_rejected(goal)
    if command.closed_on < active.starts_on:
        raise Rejected("goal-must-not-close-before-it-starts", starts_on=active.starts_on, closed_on=command.closed_on)
    if active.metric is None and command.value is not None:
        raise Rejected("goal-has-no-metric", value=command.value)
    value = active.current if command.value is None else command.value
    progress = None if active.metric is None or value is None else progress_of(active.metric, value).capped
    return [GoalAchieved(value=value, progress=progress, closed_on=command.closed_on)]


def cancel(goal: Goal, command: CancelGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Cancelled):
        return []
    _active_or_rejected(goal)
    return [GoalCancelled(reason=command.reason)]


def expire(goal: Goal, command: ExpireGoal) -> Sequence[GoalEvent]:
    """An expired goal stays open: it is closed by a person."""
    match goal:
        case Active(expired=False, ends_on=ends_on) if ends_on <= command.ended_on:
            return [
                GoalExpired(
                    ended_on=ends_on, zone=command.zone, due_at=command.due_at, late_seconds=command.late_seconds
                )
            ]
        case _:
            return []


def _active_or_rejected(goal: Goal) -> Active:
    if not isinstance(goal, Active):
        raise Rejected("goal-is-not-active", state=type(goal).__name__)
    return goal


GOAL: Final[Decider[Goal]] = Decider(category="goal", initial=NotSet(), decide=decide, evolve=evolve)
