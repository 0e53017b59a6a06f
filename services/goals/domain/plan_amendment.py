"""Proposing an amendment: plan and goals change in one act, which the other side approves as a whole."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import Field

from services.goals.domain.goal_closing import ChildrenGo
from services.goals.domain.metric import MetricBody, metric_of
from services.goals.domain.objective import refuse_pay_for_aspirations
from services.goals.domain.plan_sides import OnASide, side_of
from services.goals.domain.plan_states import Agreed, GoalPlan, GoalPlanEvent
from services.goals.domain.plan_weights import (
    MOST_GOALS,
    PlannedGoal,
    refuse_weights_that_cannot_be_agreed,
    weights_of,
)
from services.goals.domain.planned_goals import GoalFact, aspirations, refuse_goals_that_cannot_count, seen_goals
from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import (
    GoalAmendmentProposed,
    GoalCancellation,
    GoalChange,
    GoalHandover,
    PlanWeight,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import Known, LongText, ReasonCode, ShortText


class GoalChangeBody(RequestBody):
    """What shall be otherwise in one goal; what is left out stays."""

    goal: GoalId
    title: ShortText | None = None
    metric: MetricBody | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class GoalCancellationBody(RequestBody):
    """`children`: where the open goals below go, `to` which one if that is another goal; they are not cancelled too."""

    goal: GoalId
    reason: ReasonCode
    children: Known[ChildrenGo] | None = None
    to: GoalId | None = None


class GoalHandoverBody(RequestBody):
    goal: GoalId
    to: PersonId
    reason: ReasonCode


class ProposeAmendmentBody(RequestBody):
    """`goals` are all that count afterwards, with their weights by hand or equal: who drops one sets the others too."""

    goals: tuple[PlannedGoal, ...] = Field(min_length=1, max_length=MOST_GOALS)
    changes: tuple[GoalChangeBody, ...] = Field(default=(), max_length=MOST_GOALS)
    cancellations: tuple[GoalCancellationBody, ...] = Field(default=(), max_length=MOST_GOALS)
    handovers: tuple[GoalHandoverBody, ...] = Field(default=(), max_length=MOST_GOALS)
    reason: LongText


class ProposeAmendment(ProposeAmendmentBody, OnASide):
    """`facts` are those of the goals afterwards and of the changed ones; `amendment` is the new one's id."""

    amendment: UUID
    facts: tuple[GoalFact, ...]


def agreed_or_rejected(plan: GoalPlan) -> Agreed:
    """Raises Rejected: the plan is not agreed, and changes by a new proposal."""
    if not isinstance(plan, Agreed):
        raise Rejected("goal-plan-is-not-agreed", state=type(plan).__name__)
    return plan


def joining(agreed: Agreed, weights: Sequence[PlanWeight]) -> list[PlanWeight]:
    """The goals that are new in the plan; one that was in it may be achieved by now, and keeps what it weighs."""
    before = {weight.goal for weight in agreed.counting}
    return [weight for weight in weights if weight.goal not in before]


def propose_amendment(plan: GoalPlan, command: ProposeAmendment) -> Sequence[GoalPlanEvent]:
    """A new amendment, also the other side's own, takes the place of the one that waits."""
    agreed = agreed_or_rejected(plan)
    if agreed.amendment is not None and agreed.amendment.amendment == command.amendment:
        return []
    scope = agreed.scope
    side_of(command, scope)
    weights = weights_of(command.goals)
    _refuse_nothing(agreed, weights, command)
    _refuse_confusion(agreed, weights, command)
    refuse_weights_that_cannot_be_agreed(weights, command.policy)
    refuse_pay_for_aspirations(weights, aspirations(command.facts), command.policy)
    refuse_goals_that_cannot_count(joining(agreed, weights), scope, command.facts)
    return [
        GoalAmendmentProposed(
            amendment=command.amendment,
            owner=scope.owner,
            weights=weights,
            seen=seen_goals(weights, command.facts),
            changes=tuple(_change(change, agreed, command.facts) for change in command.changes),
            cancellations=tuple(GoalCancellation(**dict(item)) for item in command.cancellations),
            handovers=tuple(GoalHandover(**dict(item)) for item in command.handovers),
            reason=PersonalText.about(scope.owner, command.reason),
            proposed_by=command.by,
        )
    ]


def _change(change: GoalChangeBody, agreed: Agreed, facts: Sequence[GoalFact]) -> GoalChange:
    level = next((fact.level for fact in facts if fact.goal == change.goal), GoalLevel.PERSON)
    title = change.title
    if title is not None and level is GoalLevel.PERSON:
        title = PersonalText.about(agreed.scope.owner, title)
    return GoalChange(
        goal=change.goal,
        title=title,
        metric=metric_of(change.metric) if change.metric else None,
        starts_on=change.starts_on,
        ends_on=change.ends_on,
    )


def _refuse_nothing(agreed: Agreed, weights: Sequence[PlanWeight], command: ProposeAmendment) -> None:
    if not (command.changes or command.cancellations or command.handovers) and set(weights) == set(agreed.weights):
        raise Rejected("amendment-must-change-something", goals=[weight.goal for weight in weights])


def _refuse_confusion(agreed: Agreed, weights: Sequence[PlanWeight], command: ProposeAmendment) -> None:
    """What leaves is of the plan and not weighed any more; what changes stays; nothing is named twice."""
    leaving = [item.goal for item in (*command.cancellations, *command.handovers)]
    named = [*leaving, *(change.goal for change in command.changes)]
    if len(set(named)) < len(named):
        raise Rejected("amendment-must-name-a-goal-once", goals=named)
    before, after = {weight.goal for weight in agreed.weights}, {weight.goal for weight in weights}
    for item in command.cancellations:
        if item.children is ChildrenGo.CANCELLED_TOO:
            raise Rejected("amendment-cancels-what-it-names", goal=item.goal, children=item.children)
    for goal in leaving:
        if goal not in before:
            raise Rejected("amendment-is-of-goals-in-the-plan", goal=goal)
        if goal in after:
            raise Rejected("amendment-must-not-weigh-what-leaves", goal=goal)
    for change in command.changes:
        if change.goal not in after:
            raise Rejected("amendment-is-of-goals-in-the-plan", goal=change.goal)
