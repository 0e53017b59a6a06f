"""Goal plan states: what has happened to a plan, as far as decisions need it."""

from dataclasses import dataclass, replace

from services.goals.domain.plan_sides import PlanScope
from shared.schemas.goal_plans import (
    GoalAmendmentProposed,
    GoalAmendmentReturned,
    GoalPlanAgreed,
    GoalPlanAmended,
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    PlannedGoalLost,
    PlanWeight,
    SeenGoal,
)
from shared.schemas.identifiers import GoalId, PersonId


@dataclass(frozen=True, slots=True)
class NotProposed: ...


@dataclass(frozen=True, slots=True)
class Drafted:
    scope: PlanScope
    weights: tuple[PlanWeight, ...]
    drafted_by: PersonId


@dataclass(frozen=True, slots=True)
class Proposed:
    scope: PlanScope
    weights: tuple[PlanWeight, ...]
    seen: tuple[SeenGoal, ...]
    proposed_by: PersonId


@dataclass(frozen=True, slots=True)
class Returned:
    scope: PlanScope
    returned_by: PersonId


@dataclass(frozen=True, slots=True)
class Agreed:
    """`amendment` is the one that waits for the other side; `amended` the last one that was approved, and by whom.

    `lost` are goals that it weighs and that are its owner's or open no more, since the owner has left.
    """

    scope: PlanScope
    weights: tuple[PlanWeight, ...]
    agreed_by: PersonId
    amendment: GoalAmendmentProposed | None = None
    amended: GoalPlanAmended | None = None
    lost: frozenset[GoalId] = frozenset()

    @property
    def counting(self) -> tuple[PlanWeight, ...]:
        return tuple(weight for weight in self.weights if weight.goal not in self.lost)


GoalPlan = NotProposed | Drafted | Proposed | Returned | Agreed
GoalPlanEvent = (
    GoalPlanDrafted
    | GoalPlanProposed
    | GoalPlanReturned
    | GoalPlanAgreed
    | GoalAmendmentProposed
    | GoalAmendmentReturned
    | GoalPlanAmended
    | PlannedGoalLost
)


def evolve(plan: GoalPlan, event: GoalPlanEvent) -> GoalPlan:
    match event:
        case GoalPlanDrafted():
            return Drafted(_scope(event), event.weights, event.drafted_by)
        case GoalPlanProposed():
            return Proposed(_scope(event), event.weights, event.seen, event.proposed_by)
        case GoalPlanReturned() if isinstance(plan, Proposed):
            return Returned(plan.scope, event.returned_by)
        case GoalPlanAgreed():
            return Agreed(_scope(event), event.weights, event.agreed_by)
        case _ if isinstance(plan, Agreed):
            return _amended(plan, event)
        case _:
            return plan


def _amended(plan: Agreed, event: GoalPlanEvent) -> Agreed:
    match event:
        case GoalAmendmentProposed():
            return replace(plan, amendment=event)
        case GoalAmendmentReturned():
            return replace(plan, amendment=None)
        case GoalPlanAmended():
            return replace(plan, weights=event.weights, amendment=None, amended=event, lost=frozenset())
        case PlannedGoalLost():
            return replace(plan, lost=plan.lost | {event.goal})
        case _:
            return plan


def _scope(event: GoalPlanDrafted | GoalPlanProposed | GoalPlanAgreed) -> PlanScope:
    return PlanScope(owner=event.owner, level=event.level, starts_on=event.starts_on, ends_on=event.ends_on)
