"""Goal states: what has happened to a goal, as far as decisions need it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.goals.domain.measurement import Measured, Reading, measured, unmeasured
from services.goals.domain.metric import SAID_IN_PERCENT
from services.goals.domain.parent import ParentGoal
from shared.eventsourcing.decider import Rejected
from shared.schemas.goal_changes import GoalLocked, GoalRescheduled, GoalRetargeted, GoalRetitled, GoalUnlocked
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy, Metric
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText


@dataclass(frozen=True, slots=True)
class NotSet: ...


@dataclass(frozen=True, slots=True)
class Active:
    level: GoalLevel
    owner: PersonId
    title: PersonalText | str
    metric: Metric | None
    measured_by: MeasuredBy
    measured: Measured
    parent: GoalId | None
    weight: Decimal
    weight_by_hand: bool
    starts_on: date
    ends_on: date
    expired: bool = False
    locked_by: UUID | None = None
    titles: int = 1
    """How many it has had: a sealed title cannot be compared."""

    @property
    def current(self) -> Decimal | None:
        """The value of the latest moment that was measured, else where the metric starts."""
        return self.measured.value

    @property
    def scale(self) -> Metric | None:
        """What its own measurements are in; None where its progress is that of the goals below it."""
        match self.measured_by:
            case MeasuredBy.CHILDREN:
                return None
            case MeasuredBy.MANUAL:
                return SAID_IN_PERCENT
            case _:
                return self.metric


@dataclass(frozen=True, slots=True)
class Closed:
    """`was` is the goal as it was when it was closed."""

    was: Active

    @property
    def level(self) -> GoalLevel:
        return self.was.level

    @property
    def owner(self) -> PersonId:
        return self.was.owner

    @property
    def starts_on(self) -> date:
        return self.was.starts_on

    @property
    def ends_on(self) -> date:
        return self.was.ends_on


@dataclass(frozen=True, slots=True)
class Achieved(Closed):
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Cancelled(Closed): ...


Goal = NotSet | Active | Achieved | Cancelled
GoalEvent = (
    GoalSet
    | GoalAligned
    | GoalRetitled
    | GoalRescheduled
    | GoalRetargeted
    | GoalLocked
    | GoalUnlocked
    | GoalMeasureChosen
    | GoalProgressRecorded
    | GoalAchieved
    | GoalCancelled
    | GoalExpired
)


def evolve(goal: Goal, event: GoalEvent) -> Goal:
    match event:
        case GoalSet():
            return _active(event)
        case GoalAchieved() if isinstance(goal, Active):
            return Achieved(goal, event.value)
        case GoalCancelled() if isinstance(goal, Active):
            return Cancelled(goal)
        case GoalAligned() if isinstance(goal, Achieved):
            return replace(goal, was=_changed(goal.was, event))
        case _ if isinstance(goal, Active):
            return _changed(goal, event)
        case _:
            return goal


def _changed(goal: Active, event: GoalEvent) -> Active:
    """An open goal after an event that leaves it open."""
    match event:
        case GoalAligned():
            return replace(goal, parent=event.parent, weight=event.weight, weight_by_hand=event.weight_by_hand)
        case GoalMeasureChosen():
            return replace(goal, measured_by=event.measured_by)
        case GoalRetitled():
            return replace(goal, title=event.title, titles=goal.titles + 1)
        case GoalRescheduled():
            return replace(goal, starts_on=event.starts_on, ends_on=event.ends_on, expired=False)
        case GoalRetargeted():
            return replace(goal, metric=event.metric)
        case GoalLocked():
            return replace(goal, locked_by=event.agreement)
        case GoalUnlocked():
            return replace(goal, locked_by=None)
        case GoalProgressRecorded():
            return _measured(goal, event)
        case GoalExpired():
            return replace(goal, expired=True)
        case _:
            return goal


def _active(event: GoalSet) -> Active:
    return Active(
        level=event.level,
        owner=event.owner,
        title=event.title,
        metric=event.metric,
        measured_by=event.source,
        measured=unmeasured(event.metric),
        parent=event.parent,
        weight=event.weight,
        weight_by_hand=event.weight_by_hand,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
    )


def _measured(goal: Active, event: GoalProgressRecorded) -> Active:
    if goal.scale is None:
        return goal
    return replace(goal, measured=measured(goal.scale, goal.measured, Reading(event.value, event.measured_at)))


def as_parent(
    goal: Goal, identity: GoalId, ancestors: Sequence[GoalId], *, by_hand: bool | None = None
) -> ParentGoal | None:
    """What a goal below needs to know of this one; None if it was never set. `by_hand`: how the others are weighed."""
    if isinstance(goal, NotSet):
        return None
    return ParentGoal(
        goal=identity,
        active=isinstance(goal, Active),
        starts_on=goal.starts_on,
        ends_on=goal.ends_on,
        ancestors=tuple(ancestors),
        children_weighed_by_hand=by_hand,
    )


def active_or_rejected(goal: Goal) -> Active:
    """The goal, which must be open.

    Raises:
        Rejected: it was never set, or it is closed.
    """
    if not isinstance(goal, Active):
        raise Rejected("goal-is-not-active", state=type(goal).__name__)
    return goal
