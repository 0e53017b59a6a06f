"""Goals, placed: under a parent, beside what they contribute to, and in time."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_moves import aligned, contributing, moved, rescheduled
from services.goals.api.permissions import ALIGN, EDIT
from services.goals.domain.goal_alignment import AlignGoalBody
from services.goals.domain.goal_contributions import ContributeBody
from services.goals.domain.goal_dates import RescheduleGoalBody
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_placing_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/align", summary="Put a goal under a parent, or under none")
    @needs("goal", ALIGN)
    async def align_goal(
        goal: GoalId, body: Annotated[AlignGoalBody, Body(openapi_examples=examples.ALIGN_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        return await moved(runtime, edge, goal, aligned(edge, goal, body))

    @routes.post("/{goal}/contributions", summary="Say which goals this one contributes to besides its parent")
    @needs("goal", ALIGN)
    async def contribute(
        goal: GoalId, body: Annotated[ContributeBody, Body(openapi_examples=examples.CONTRIBUTE)], edge: AtEdge
    ) -> CommandAnswer:
        """All of them: what is left out is taken away. They are shown there, and never summed."""
        return await moved(runtime, edge, goal, contributing(edge, goal, body))

    @routes.post("/{goal}/dates", summary="Let a goal run at other dates")
    @needs("goal", EDIT)
    async def reschedule_goal(
        goal: GoalId, body: Annotated[RescheduleGoalBody, Body(openapi_examples=examples.RESCHEDULE)], edge: AtEdge
    ) -> CommandAnswer:
        """Inside its parent's dates, and around those of the goals below it."""
        return await moved(runtime, edge, goal, rescheduled(edge, goal, body))

    return routes
