"""Agreeing on a goal plan: the other side agrees to what was proposed, or sends it back with a comment."""

from collections.abc import Sequence

from services.goals.domain.objective import refuse_pay_for_aspirations
from services.goals.domain.plan_sides import OnASide, refuse_own_side
from services.goals.domain.plan_states import (
    Agreed,
    Drafted,
    GoalPlan,
    GoalPlanEvent,
    NotProposed,
    Proposed,
    Returned,
)
from services.goals.domain.plan_weights import refuse_weights_that_cannot_be_agreed
from services.goals.domain.planned_goals import (
    GoalFact,
    aspirations,
    refuse_goals_that_cannot_count,
    refuse_what_was_not_proposed,
)
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_plans import GoalPlanAgreed, GoalPlanReturned
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import LongText


class ReturnGoalPlanBody(RequestBody):
    comment: LongText


class ReturnGoalPlan(ReturnGoalPlanBody, OnASide): ...


class AgreeGoalPlan(OnASide):
    facts: tuple[GoalFact, ...]


def send_back(plan: GoalPlan, command: ReturnGoalPlan) -> Sequence[GoalPlanEvent]:
    match plan:
        case Returned(returned_by=command.by):
            return []
        case Proposed(scope=scope, proposed_by=proposed_by):
            refuse_own_side(command, scope, proposed_by=proposed_by)
            comment = PersonalText.about(scope.owner, command.comment)
            return [GoalPlanReturned(owner=scope.owner, comment=comment, returned_by=command.by)]
        case _:
            raise _not_proposed(plan)


def agree(plan: GoalPlan, command: AgreeGoalPlan) -> Sequence[GoalPlanEvent]:
    match plan:
        case Agreed(agreed_by=command.by):
            return []
        case Proposed():
            return _agree(plan, command)
        case _:
            raise _not_proposed(plan)


def _agree(plan: Proposed, command: AgreeGoalPlan) -> Sequence[GoalPlanEvent]:
    refuse_own_side(command, plan.scope, proposed_by=plan.proposed_by)
    refuse_weights_that_cannot_be_agreed(plan.weights, command.policy)
    refuse_pay_for_aspirations(plan.weights, aspirations(command.facts), command.policy)
    refuse_goals_that_cannot_count(plan.weights, plan.scope, command.facts)
    refuse_what_was_not_proposed(plan.seen, command.facts)
    return [GoalPlanAgreed(**dict(plan.scope), weights=plan.weights, agreed_by=command.by)]


def _not_proposed(plan: NotProposed | Drafted | Returned | Agreed | Proposed) -> Rejected:
    if isinstance(plan, Agreed):
        return Rejected("goal-plan-is-already-agreed", agreed_by=plan.agreed_by)
    return Rejected("goal-plan-is-not-proposed", state=type(plan).__name__)
