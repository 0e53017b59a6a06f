"""Proposing a goal plan: a draft is anybody's own affair, a proposal asks the other side; neither needs 100.00 yet."""

from collections.abc import Sequence
from datetime import date

from pydantic import Field

from services.goals.domain.plan_period import refuse_wrong_period
from services.goals.domain.plan_sides import OnASide, PlanScope, side_of
from services.goals.domain.plan_states import Agreed, Drafted, GoalPlan, GoalPlanEvent, Proposed, evolve
from services.goals.domain.plan_weights import MOST_GOALS, PlannedGoal, weights_of
from services.goals.domain.planned_goals import GoalFact, refuse_goals_that_cannot_count, seen_goals
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import GoalPlanDrafted, GoalPlanProposed, PlanWeight
from shared.schemas.identifiers import PersonId
from shared.schemas.values import Known


class ProposeGoalPlanBody(RequestBody):
    """`level`: `person` weighs what counts for the owner; `team` and `organization` their own goals of this owner."""

    owner: PersonId
    level: Known[GoalLevel] = GoalLevel.PERSON
    starts_on: date
    ends_on: date
    goals: tuple[PlannedGoal, ...] = Field(min_length=1, max_length=MOST_GOALS)


class DraftGoalPlan(ProposeGoalPlanBody, UnderPolicy, Command):
    facts: tuple[GoalFact, ...]


class ProposeGoalPlan(ProposeGoalPlanBody, OnASide):
    facts: tuple[GoalFact, ...]


def draft(plan: GoalPlan, command: DraftGoalPlan) -> Sequence[GoalPlanEvent]:
    """It takes the place of a draft, not of a proposal that the other side may be reading."""
    if isinstance(plan, Proposed):
        raise Rejected("goal-plan-is-already-proposed", proposed_by=plan.proposed_by)
    scope, weights = _asked(plan, command)
    if isinstance(plan, Drafted) and (plan.scope, plan.weights) == (scope, weights):
        return []
    return [GoalPlanDrafted(**dict(scope), weights=weights, drafted_by=command.by)]


def propose(plan: GoalPlan, command: ProposeGoalPlan) -> Sequence[GoalPlanEvent]:
    """A new proposal, also the other side's own, takes the place of the one before."""
    scope, weights = _asked(plan, command)
    side_of(command, scope)
    seen = seen_goals(weights, command.facts)
    proposed = GoalPlanProposed(**dict(scope), weights=weights, seen=seen, proposed_by=command.by)
    return [] if evolve(plan, proposed) == plan else [proposed]


def _asked(plan: GoalPlan, command: DraftGoalPlan | ProposeGoalPlan) -> tuple[PlanScope, tuple[PlanWeight, ...]]:
    if isinstance(plan, Agreed):
        raise Rejected("goal-plan-is-already-agreed", agreed_by=plan.agreed_by)
    refuse_wrong_period(command.starts_on, command.ends_on, command.policy)
    scope = PlanScope(owner=command.owner, level=command.level, starts_on=command.starts_on, ends_on=command.ends_on)
    weights = weights_of(command.goals)
    refuse_goals_that_cannot_count(weights, scope, command.facts)
    return scope, weights
