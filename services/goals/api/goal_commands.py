"""Goals, written: set, and how far they are."""

from typing import Annotated

from fastapi import APIRouter, Body
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import Access, Standing, access_to, permitted
from services.goals.api.goal_edits import is_here
from services.goals.api.goal_moves import goal_above, goals_above
from services.goals.api.permissions import RECORD_PROGRESS, SET
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_progress import RecordProgress, RecordProgressBody
from services.goals.domain.goal_setting import SetGoal, SetGoalBody
from services.goals.projections import goal_graph
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import uuid7
from shared.people.population import Person, find
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer, Edge
from shared.runtime.problems import FieldError, invalid
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_command_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("", status_code=201, summary="Set a goal")
    @needs("goal", SET)
    async def set_goal(
        body: Annotated[SetGoalBody, Body(openapi_examples=examples.SET_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        async with runtime.reading.connect() as connection:
            access, owner = await _may_set(connection, body, edge)
        employed = is_here(owner, on=edge.now.date())
        goal = GoalId(uuid7())

        async def plan(decision: Decision) -> None:
            if body.parent is not None or body.contributes_to:
                await goal_graph.lock_for_setting(decision.connection)
            above = await goal_above(decision, body.parent, edge.caller)
            targets = await goals_above(decision, body.contributes_to, edge.caller)
            command = SetGoal.from_body(
                body, goal=goal, parent_goal=above, targets=targets, employed=employed, **edge.given
            )
            await decision.decide(GOAL, goal, command)
            await goal_graph.write(decision)

        outcome = (await runtime.handler.handle_together(edge.context, plan, answer=edge.describe(access.actions)))[0]
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/goals/{outcome.identity}")

    @routes.post("/{goal}/progress", summary="Record how far a goal is")
    @needs("goal", RECORD_PROGRESS)
    async def record_progress(
        goal: GoalId, body: Annotated[RecordProgressBody, Body(openapi_examples=examples.RECORD_PROGRESS)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        command = RecordProgress.from_body(body, **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    return routes


async def _may_set(connection: AsyncConnection, body: SetGoalBody, edge: Edge) -> tuple[Access, Person]:
    """What the caller may do with the new goal, and its owner."""
    access = await access_to(connection, edge.caller, Standing(body.level, body.owner))
    access.require(edge.action, f"person {body.owner}")
    if (owner := await find(connection, body.owner)) is None:
        raise invalid([FieldError(field="owner", value=str(body.owner), message="is nobody we know")])
    return access, owner
