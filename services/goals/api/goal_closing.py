"""Goals, closed by a person: achieved, missed, cancelled; and opened again."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.cancelling import cancelled
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import permitted
from services.goals.api.goal_moves import moved, taking_turns
from services.goals.api.permissions import ACHIEVE, CANCEL, GRADE, MISS, REOPEN
from services.goals.domain.goal_closing import (
    AchieveGoal,
    CancelGoalBody,
    CloseGoalBody,
    MissGoal,
    ReopenGoal,
    ReopenGoalBody,
)
from services.goals.domain.goal_states import Goal
from services.goals.domain.objective import GradeObjective, GradeObjectiveBody
from services.goals.projections import readable_goals
from services.goals.projections.goals_above import parent_of
from shared.eventsourcing.decision import Decision
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_closing_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/achieve", summary="Close a goal that was reached, with its final value")
    @needs("goal", ACHIEVE)
    async def achieve_goal(
        goal: GoalId, body: Annotated[CloseGoalBody, Body(openapi_examples=examples.CLOSE_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        async def given(decision: Decision, _goal: Goal) -> AchieveGoal:
            return AchieveGoal.from_body(body, rolled_up=await _shown(decision, goal), **edge.given)

        return await moved(runtime, edge, goal, given)

    @routes.post("/{goal}/miss", summary="Close a goal that was not reached, with its final value")
    @needs("goal", MISS)
    async def miss_goal(
        goal: GoalId, body: Annotated[CloseGoalBody, Body(openapi_examples=examples.CLOSE_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        async def given(decision: Decision, _goal: Goal) -> MissGoal:
            return MissGoal.from_body(body, rolled_up=await _shown(decision, goal), **edge.given)

        return await moved(runtime, edge, goal, given)

    @routes.post("/{goal}/grade", summary="Close an objective with a grade from 0.0 to 1.0, and say why")
    @needs("goal", GRADE)
    async def grade_objective(
        goal: GoalId, body: Annotated[GradeObjectiveBody, Body(openapi_examples=examples.GRADE_OBJECTIVE)], edge: AtEdge
    ) -> CommandAnswer:
        """Without a grade it is the score of its key results. From 0.70 on it is achieved, below that missed."""

        async def given(decision: Decision, _goal: Goal) -> GradeObjective:
            return GradeObjective.from_body(body, rolled_up=await _shown(decision, goal), **edge.given)

        return await moved(runtime, edge, goal, given)

    @routes.post("/{goal}/cancel", summary="Cancel a goal, which then counts nowhere")
    @needs("goal", CANCEL)
    async def cancel_goal(
        goal: GoalId, body: Annotated[CancelGoalBody, Body(openapi_examples=examples.CANCEL_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        """`children` says where the open goals below go; all of it happens or nothing."""
        answer = await permitted(runtime, edge, goal)
        return edge.accepted(await taking_turns(runtime, edge, cancelled(edge, goal, body), answer))

    @routes.post("/{goal}/reopen", summary="Open a closed goal again, as it was before")
    @needs("goal", REOPEN)
    async def reopen_goal(
        goal: GoalId, body: Annotated[ReopenGoalBody, Body(openapi_examples=examples.REOPEN_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        async def given(decision: Decision, state: Goal) -> ReopenGoal:
            above = await parent_of(decision, state)
            return ReopenGoal.from_body(body, goal=goal, parent_goal=above, **edge.given)

        return await moved(runtime, edge, goal, given)

    return routes


async def _shown(decision: Decision, goal: GoalId) -> Decimal | None:
    """The progress that whoever closes the goal was shown."""
    row = await readable_goals.find(decision.connection, goal)
    return None if row is None else row.progress
