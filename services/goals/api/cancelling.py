"""Cancelling over HTTP: who asks must be allowed to cancel what is cancelled too, and sees where the others go."""

from uuid import UUID

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import access_to
from services.goals.api.goal_moves import goal_above
from services.goals.domain.goal_closing import CancelGoalBody
from services.goals.domain.goal_states import Active, Closed
from services.goals.domain.parent import ParentGoal
from services.goals.projections.goal_cancelling import Cancelling
from shared.eventsourcing.decision import Decision, Plan
from shared.schemas.identifiers import GoalId


def cancelled(edge: GoalsEdge, goal: GoalId, body: CancelGoalBody, *, amendment: UUID | None = None) -> Plan:
    """`amendment` is the one that both sides of the goal's plan approved, where the goal is agreed."""

    async def may_cancel(decision: Decision, state: Active | Closed) -> None:
        (await access_to(decision.connection, edge.caller, state)).require(edge.action, "goal below")

    async def above(decision: Decision, parent: GoalId | None) -> ParentGoal | None:
        return await goal_above(decision, parent, edge.caller)

    cancelling = Cancelling(given=edge.given, may_cancel=may_cancel, above=above, amendment=amendment)

    async def plan(decision: Decision) -> None:
        await cancelling.cancel(decision, goal, body)

    return plan
