"""Goal states: what has happened to a goal, as far as decisions need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from services.goals.domain.measurement import Measured
from services.goals.domain.metric import SAID_IN_PERCENT
from services.goals.domain.parent import ParentGoal
from shared.eventsourcing.decider import Rejected
from shared.schemas.goal_changes import (
    GoalClassified,
    GoalDescribed,
    GoalLocked,
    GoalRescheduled,
    GoalRetargeted,
    GoalRetitled,
    GoalUnlocked,
    GoalVisibilityChosen,
)
from shared.schemas.goal_health import GoalHealthSet, UpdateDue
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy, Metric
from shared.schemas.goal_objectives import Commitment, ObjectiveGraded
from shared.schemas.goal_ties import (
    GoalCarriedOver,
    GoalContributionAdded,
    GoalContributionRemoved,
    GoalContributorAdded,
    GoalContributorRemoved,
    GoalHandedOver,
)
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalLevel,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.identifiers import GoalId, KpiId, PersonId
from shared.schemas.kpis import GoalBoundToKpi, GoalUnboundFromKpi, KpiAggregation, KpiValueRefusedByGoal, KpiWindow
from shared.schemas.personal_text import PersonalText


@dataclass(frozen=True, slots=True)
class NotSet: ...


@dataclass(frozen=True, slots=True)
class Classification:
    """What a goal stands for, and how it is found."""

    values: tuple[str, ...] = ()
    competencies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KpiBinding:
    """The KPI that moves a goal, and the value that the goal's metric refused last."""

    kpi: KpiId
    aggregation: KpiAggregation
    window: KpiWindow
    refused: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Active:
    level: GoalLevel
    owner: PersonId
    team: str | None
    title: PersonalText | str
    description: PersonalText | str | None
    stands_for: Classification
    visibility: GoalVisibility | None
    contributors: tuple[PersonId, ...]
    metric: Metric | None
    measured_by: MeasuredBy
    measured: Measured
    parent: GoalId | None
    contributes_to: tuple[GoalId, ...]
    weight: Decimal
    weight_by_hand: bool
    starts_on: date
    ends_on: date
    expired: bool = False
    agreements: tuple[UUID, ...] = ()
    """The agreed plans that hold it: each that weighs it."""
    carried_to: GoalId | None = None
    titles: int = 1
    """How many it has had: a sealed title cannot be compared."""
    binding: KpiBinding | None = None
    health: GoalHealthSet | None = None
    update_due_at: datetime | None = None
    objective: Commitment | None = None
    """What reaching it means; None: it is no objective."""
    graded: ObjectiveGraded | None = None

    @property
    def current(self) -> Decimal | None:
        """The value of the latest moment that was measured, else where the metric starts."""
        return self.measured.value

    @property
    def follows(self) -> KpiBinding | None:
        """What moves the goal instead of a hand; a goal that is not measured by its metric now follows nothing."""
        return self.binding if self.measured_by is MeasuredBy.METRIC else None

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
    """`was` is the goal as it was when it was closed, and as it is again if it is reopened."""

    was: Active

    @property
    def level(self) -> GoalLevel:
        return self.was.level

    @property
    def owner(self) -> PersonId:
        return self.was.owner

    @property
    def team(self) -> str | None:
        return self.was.team

    @property
    def starts_on(self) -> date:
        return self.was.starts_on

    @property
    def ends_on(self) -> date:
        return self.was.ends_on

    @property
    def visibility(self) -> GoalVisibility | None:
        return self.was.visibility

    @property
    def contributors(self) -> tuple[PersonId, ...]:
        return self.was.contributors


@dataclass(frozen=True, slots=True)
class Achieved(Closed):
    value: Decimal | None
    progress: Decimal | None


@dataclass(frozen=True, slots=True)
class Missed(Closed):
    value: Decimal | None
    progress: Decimal | None


@dataclass(frozen=True, slots=True)
class Cancelled(Closed): ...


Goal = NotSet | Active | Achieved | Missed | Cancelled
Placing = GoalAligned | GoalContributionAdded | GoalContributionRemoved | GoalRescheduled
Wording = GoalRetitled | GoalDescribed | GoalClassified | GoalVisibilityChosen
Belonging = GoalHandedOver | GoalContributorAdded | GoalContributorRemoved | GoalLocked | GoalUnlocked
Measuring = GoalRetargeted | GoalMeasureChosen | GoalProgressRecorded
Judging = GoalHealthSet | UpdateDue
Closing = GoalAchieved | GoalMissed | GoalCancelled
Binding = GoalBoundToKpi | GoalUnboundFromKpi | KpiValueRefusedByGoal
GoalEvent = (
    GoalSet
    | Placing
    | Wording
    | Belonging
    | Measuring
    | Binding
    | Judging
    | Closing
    | GoalReopened
    | GoalExpired
    | GoalCarriedOver
    | ObjectiveGraded
)


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
