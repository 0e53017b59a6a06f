"""How goals are doing, written: what a person says of it."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import permitted
from services.goals.api.permissions import SET_HEALTH
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_health import SetHealth, SetHealthBody
from services.goals.projections import readable_goals
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_health_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/health", summary="Say how a goal is doing, and why")
    @needs("goal", SET_HEALTH)
    async def set_health(
        goal: GoalId, body: Annotated[SetHealthBody, Body(openapi_examples=examples.SET_HEALTH)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        shown = await readable_goals.shown_progress(runtime.reading, goal)
        command = SetHealth.from_body(body, progress=shown, **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    return routes
