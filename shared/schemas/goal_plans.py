"""The published language of the goals service: the plans that weigh goals, and their amendments."""

from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.schemas.event import Event
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_metrics import Metric
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, ShortText


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlanWeight(_Part):
    """How much one goal counts in a plan, in percent."""

    goal: GoalId
    weight: DecimalString


class SeenGoal(_Part):
    """A goal as the proposer saw it: its version, and the fingerprint of its title, metric and dates."""

    goal: GoalId
    version: int
    fingerprint: str


class GoalPlanDrafted(Event):
    """Which goals might count in a period, and how much: nothing is asked of anybody yet."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanDrafted.v1"

    owner: PersonId
    level: GoalLevel
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    drafted_by: PersonId


class GoalPlanProposed(Event):
    """One of the two sides proposed which goals count in a period, and how much; the other is asked to agree.

    `seen` are the goals as the proposer saw them: what is agreed is what was proposed.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalPlanProposed.v1"

    owner: PersonId
    level: GoalLevel = GoalLevel.PERSON
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    seen: tuple[SeenGoal, ...] = ()
    proposed_by: PersonId


class GoalPlanReturned(Event):
    """The other side sent the proposal back, and said why."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanReturned.v1"

    owner: PersonId
    comment: PersonalText
    returned_by: PersonId


class GoalPlanAgreed(Event):
    """The other side agreed to the plan as it was proposed; its weights total exactly 100.00."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanAgreed.v1"

    owner: PersonId
    level: GoalLevel = GoalLevel.PERSON
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    agreed_by: PersonId


class GoalChange(_Part):
    """What shall be otherwise in one goal of the plan; what is null stays."""

    goal: GoalId
    title: PersonalText | ShortText | None
    metric: Metric | None
    starts_on: date | None
    ends_on: date | None


class GoalCancellation(_Part):
    """A goal that shall count nowhere any more; `reason` is a code; `children`: where the open goals below go."""

    goal: GoalId
    reason: ShortText
    children: ShortText | None = None
    to: GoalId | None = None


class GoalHandover(_Part):
    """A goal that shall be somebody else's; `reason` is a code."""

    goal: GoalId
    to: PersonId
    reason: ShortText


class GoalAmendmentProposed(Event):
    """One of the two sides proposed to change an agreed plan and its goals, in one act.

    `weights` are those of the whole plan afterwards. A goal that is not among them any more leaves the plan: cancelled,
    handed over, or free again; one that was not among them before joins it.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalAmendmentProposed.v1"

    amendment: UUID
    owner: PersonId
    weights: tuple[PlanWeight, ...]
    seen: tuple[SeenGoal, ...]
    changes: tuple[GoalChange, ...]
    cancellations: tuple[GoalCancellation, ...]
    handovers: tuple[GoalHandover, ...]
    reason: PersonalText
    proposed_by: PersonId


class GoalAmendmentReturned(Event):
    """The other side sent the amendment back, and said why; the plan stays as it was agreed."""

    event_type: ClassVar[str] = "trellis.goals.GoalAmendmentReturned.v1"

    amendment: UUID
    owner: PersonId
    comment: PersonalText
    returned_by: PersonId


class GoalPlanAmended(Event):
    """The other side approved the amendment: plan and goals changed in one act; the weights total exactly 100.00."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanAmended.v1"

    amendment: UUID
    owner: PersonId
    weights: tuple[PlanWeight, ...]
    approved_by: PersonId


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    GoalPlanAgreed,
    GoalAmendmentProposed,
    GoalAmendmentReturned,
    GoalPlanAmended,
)
