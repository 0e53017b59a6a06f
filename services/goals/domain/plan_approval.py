"""Answering an amendment: the other side approves it as a whole, or sends it back with a comment."""

from collections.abc import Sequence
from uuid import UUID

from services.goals.domain.objective import refuse_pay_for_aspirations
from services.goals.domain.plan_amendment import agreed_or_rejected, joining
from services.goals.domain.plan_sides import OnASide, refuse_own_side
from services.goals.domain.plan_states import Agreed, GoalPlan, GoalPlanEvent
from services.goals.domain.plan_weights import refuse_weights_that_cannot_be_agreed
from services.goals.domain.planned_goals import (
    GoalFact,
    aspirations,
    refuse_goals_that_cannot_count,
    refuse_what_was_not_proposed,
)
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_plans import GoalAmendmentProposed, GoalAmendmentReturned, GoalPlanAmended
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import LongText


class ReturnAmendmentBody(RequestBody):
    comment: LongText


class ReturnAmendment(ReturnAmendmentBody, OnASide):
    amendment: UUID


class ApproveAmendment(OnASide):
    amendment: UUID
    facts: tuple[GoalFact, ...]


def send_amendment_back(plan: GoalPlan, command: ReturnAmendment) -> Sequence[GoalPlanEvent]:
    """Who proposed it may take it back in the same way."""
    agreed = agreed_or_rejected(plan)
    waiting = _waiting(agreed, command.amendment)
    if command.by != waiting.proposed_by:
        refuse_own_side(command, agreed.scope, proposed_by=waiting.proposed_by)
    return [
        GoalAmendmentReturned(
            amendment=command.amendment,
            owner=agreed.scope.owner,
            comment=PersonalText.about(agreed.scope.owner, command.comment),
            returned_by=command.by,
        )
    ]


def approve(plan: GoalPlan, command: ApproveAmendment) -> Sequence[GoalPlanEvent]:
    agreed = agreed_or_rejected(plan)
    done = agreed.amended
    if done is not None and (done.amendment, done.approved_by) == (command.amendment, command.by):
        return []
    waiting = _waiting(agreed, command.amendment)
    refuse_own_side(command, agreed.scope, proposed_by=waiting.proposed_by)
    refuse_weights_that_cannot_be_agreed(waiting.weights, command.policy)
    refuse_pay_for_aspirations(waiting.weights, aspirations(command.facts), command.policy)
    refuse_goals_that_cannot_count(joining(agreed, waiting.weights), agreed.scope, command.facts)
    refuse_what_was_not_proposed(waiting.seen, command.facts)
    return [
        GoalPlanAmended(
            amendment=waiting.amendment,
            owner=agreed.scope.owner,
            weights=waiting.weights,
            approved_by=command.by,
        )
    ]


def _waiting(agreed: Agreed, amendment: UUID) -> GoalAmendmentProposed:
    waiting = agreed.amendment
    if waiting is None or waiting.amendment != amendment:
        raise Rejected("amendment-is-not-proposed", amendment=amendment, waiting=waiting and waiting.amendment)
    return waiting
