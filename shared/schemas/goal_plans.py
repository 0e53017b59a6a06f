"""The published language of the goals service: the plans that weigh goals, and their amendments."""

from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import Event
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_metrics import Metric
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.units import Ordinal, Percent
from shared.schemas.values import ShortText


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PlanWeight(_Part):
    """How much one goal counts in a plan, in percent."""

    goal: GoalId = Field(description="The goal that is weighed.")
    weight: Percent = Field(description="Its share of the plan; those of an agreed plan total exactly 100.00.")


class SeenGoal(_Part):
    """A goal as the proposer saw it: its version, and the fingerprint of its title, metric and dates."""

    goal: GoalId = Field(description="Which goal was seen.")
    version: Ordinal = Field(description="The number of its last event then.")
    fingerprint: str = Field(
        description="SHA-256 (hex) of its title, metric and dates then; another one means another goal was seen."
    )


class GoalPlanDrafted(Event):
    """Which goals might count in a period, and how much: nothing is asked of anybody yet."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanDrafted.v1"

    owner: PersonId = Field(description="Whose plan it is.")
    level: GoalLevel = Field(description="Whether it weighs a person's, a team's or the company's goals.")
    starts_on: date = Field(description="The first day of the period.")
    ends_on: date = Field(description="The last day of the period.")
    weights: tuple[PlanWeight, ...] = Field(
        description="The goals that might count, and how much; they need not total anything yet."
    )
    drafted_by: PersonId = Field(description="Who wrote the draft.")


class GoalPlanProposed(Event):
    """One of the two sides proposed which goals count in a period, and how much; the other is asked to agree.

    `seen` are the goals as the proposer saw them: what is agreed is what was proposed.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalPlanProposed.v1"

    owner: PersonId = Field(description="Whose plan it is.")
    level: GoalLevel = Field(
        default=GoalLevel.PERSON, description="Whether it weighs a person's, a team's or the company's goals."
    )
    starts_on: date = Field(description="The first day of the period.")
    ends_on: date = Field(description="The last day of the period.")
    weights: tuple[PlanWeight, ...] = Field(description="The goals that shall count, and how much.")
    seen: tuple[SeenGoal, ...] = Field(
        default=(), description="The goals as the proposer saw them: what is agreed is what was proposed."
    )
    proposed_by: PersonId = Field(description="Who proposed it: the owner, or who agrees for the other side.")


class GoalPlanReturned(Event):
    """The other side sent the proposal back, and said why."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanReturned.v1"

    owner: PersonId = Field(description="Whose plan it is.")
    comment: PersonalText = Field(description="Why it was sent back, as ciphertext.")
    returned_by: PersonId = Field(description="Who sent it back.")


class GoalPlanAgreed(Event):
    """The other side agreed to the plan as it was proposed; its weights total exactly 100.00."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanAgreed.v1"

    owner: PersonId = Field(description="Whose plan it is.")
    level: GoalLevel = Field(
        default=GoalLevel.PERSON, description="Whether it weighs a person's, a team's or the company's goals."
    )
    starts_on: date = Field(description="The first day of the period.")
    ends_on: date = Field(description="The last day of the period.")
    weights: tuple[PlanWeight, ...] = Field(
        description="The goals that count, and how much; they total exactly 100.00."
    )
    agreed_by: PersonId = Field(description="Who agreed: the side that did not propose.")


class GoalChange(_Part):
    """What shall be otherwise in one goal of the plan; what is null stays."""

    goal: GoalId = Field(description="The goal to change.")
    title: PersonalText | ShortText | None = Field(description="The new title; null: it stays.")
    metric: Metric | None = Field(description="What shall be measured; null: it stays.")
    starts_on: date | None = Field(description="The new first day; null: it stays.", examples=["2026-04-01"])
    ends_on: date | None = Field(description="The new last day; null: it stays.")


class GoalCancellation(_Part):
    """A goal that shall count nowhere any more; `reason` is a code; `children`: where the open goals below go."""

    goal: GoalId = Field(description="The goal to cancel.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")
    children: ShortText | None = Field(
        default=None,
        description="What becomes of the open goals below it, as a code; null: nothing was said.",
        examples=["move"],
    )
    to: GoalId | None = Field(
        default=None,
        description="The goal that they move under, where they move; null: they do not.",
        examples=["0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"],
    )


class GoalHandover(_Part):
    """A goal that shall be somebody else's; `reason` is a code."""

    goal: GoalId = Field(description="The goal to hand over.")
    to: PersonId = Field(description="Who is to own it.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class GoalAmendmentProposed(Event):
    """One of the two sides proposed to change an agreed plan and its goals, in one act.

    `weights` are those of the whole plan afterwards. A goal that is not among them any more leaves the plan: cancelled,
    handed over, or free again; one that was not among them before joins it.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalAmendmentProposed.v1"

    amendment: UUID = Field(description="The amendment's id, which its answer and the changed goals name.")
    owner: PersonId = Field(description="Whose plan it is.")
    weights: tuple[PlanWeight, ...] = Field(description="The whole plan afterwards: goals and how much each counts.")
    seen: tuple[SeenGoal, ...] = Field(description="The goals as the proposer saw them.")
    changes: tuple[GoalChange, ...] = Field(description="What shall be otherwise in which goal; empty: nothing.")
    cancellations: tuple[GoalCancellation, ...] = Field(
        description="The goals that shall count nowhere any more; empty: none."
    )
    handovers: tuple[GoalHandover, ...] = Field(description="The goals that shall be somebody else's; empty: none.")
    reason: PersonalText = Field(description="Why, in words, as ciphertext.")
    proposed_by: PersonId = Field(description="Who proposed it.")


class GoalAmendmentReturned(Event):
    """The other side sent the amendment back, and said why; the plan stays as it was agreed."""

    event_type: ClassVar[str] = "trellis.goals.GoalAmendmentReturned.v1"

    amendment: UUID = Field(description="The amendment that was sent back.")
    owner: PersonId = Field(description="Whose plan it is.")
    comment: PersonalText = Field(description="Why it was sent back, as ciphertext.")
    returned_by: PersonId = Field(description="Who sent it back.")


class GoalPlanAmended(Event):
    """The other side approved the amendment: plan and goals changed in one act; the weights total exactly 100.00."""

    event_type: ClassVar[str] = "trellis.goals.GoalPlanAmended.v1"

    amendment: UUID = Field(description="The amendment that was approved.")
    owner: PersonId = Field(description="Whose plan it is.")
    weights: tuple[PlanWeight, ...] = Field(description="The whole plan from now on; the weights total exactly 100.00.")
    approved_by: PersonId = Field(description="Who approved it: the side that did not propose.")


class PlannedGoalLost(Event):
    """A goal that the plan weighs is handed over or cancelled, since its owner has left: its weight counts no more.

    The weights stay as they were agreed; `reason` is a code.
    """

    event_type: ClassVar[str] = "trellis.goals.PlannedGoalLost.v1"

    owner: PersonId = Field(description="Whose plan it is: who has left.")
    goal: GoalId = Field(description="The goal, which the plan goes on to list.")
    reason: ShortText = Field(description="Why, as a code.", examples=["owner-left"])


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    GoalPlanAgreed,
    GoalAmendmentProposed,
    GoalAmendmentReturned,
    GoalPlanAmended,
    PlannedGoalLost,
)
