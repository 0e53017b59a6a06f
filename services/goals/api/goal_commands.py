"""Goals, written: set, align, record progress, achieve, cancel."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Body
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api import examples, goal_graph
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import Access, access_to, permitted
from services.goals.api.permissions import ACHIEVE, ALIGN, CANCEL, RECORD_PROGRESS, SET
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import AlignGoal, AlignGoalBody
from services.goals.domain.goal_closing import AchieveGoal, AchieveGoalBody, CancelGoal, CancelGoalBody
from services.goals.domain.goal_progress import RecordProgress, RecordProgressBody
from services.goals.domain.goal_setting import SetGoal, SetGoalBody
from services.goals.domain.goal_states import Cancelled, NotSet, as_parent
from services.goals.domain.parent import ParentGoal
from services.goals.projections import readable_goals
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import uuid7
from shared.people.population import exists
from shared.runtime.authorization import needs
from shared.runtime.caller import Caller
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
        async with runtime.engine.connect() as connection:
            access = await _may_set(connection, body, edge)
        goal = GoalId(uuid7())

        async def plan(decision: Decision) -> None:
            above = await _parent(decision, goal, body.parent, edge.caller)
            command = SetGoal.from_body(body, goal=goal, parent_goal=above, **edge.given)
            await decision.decide(GOAL, goal, command)
            await goal_graph.place(decision.connection, goal, body.parent, by_hand=body.weight is not None)

        outcome = (await runtime.handler.handle_together(edge.context, plan, answer=edge.describe(access.actions)))[0]
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/goals/{outcome.identity}")

    @routes.post("/{goal}/align", summary="Put a goal under a parent, or under none")
    @needs("goal", ALIGN)
    async def align_goal(
        goal: GoalId, body: Annotated[AlignGoalBody, Body(openapi_examples=examples.ALIGN_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)

        async def plan(decision: Decision) -> None:
            await goal_graph.lock(decision.connection)
            above = await _parent(decision, goal, body.parent, edge.caller)
            command = AlignGoal.from_body(body, goal=goal, parent_goal=above, **edge.given)
            await decision.decide(GOAL, goal, command)
            await goal_graph.place(decision.connection, goal, body.parent, by_hand=body.weight is not None)

        return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])

    @routes.post("/{goal}/progress", summary="Record how far a goal is")
    @needs("goal", RECORD_PROGRESS)
    async def record_progress(
        goal: GoalId, body: Annotated[RecordProgressBody, Body(openapi_examples=examples.RECORD_PROGRESS)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        command = RecordProgress.from_body(body, **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    @routes.post("/{goal}/achieve", summary="Close a goal with its final value")
    @needs("goal", ACHIEVE)
    async def achieve_goal(
        goal: GoalId, body: Annotated[AchieveGoalBody, Body(openapi_examples=examples.ACHIEVE_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        command = AchieveGoal.from_body(body, rolled_up=await _shown(runtime, goal), **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    @routes.post("/{goal}/cancel", summary="Cancel a goal, which then counts nowhere")
    @needs("goal", CANCEL)
    async def cancel_goal(
        goal: GoalId, body: Annotated[CancelGoalBody, Body(openapi_examples=examples.CANCEL_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        command = CancelGoal.from_body(body, **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    return routes


async def _may_set(connection: AsyncConnection, body: SetGoalBody, edge: Edge) -> Access:
    access = await access_to(connection, edge.caller, body.level, body.owner)
    access.require(edge.action, f"person {body.owner}")
    if not await exists(connection, body.owner):
        raise invalid([FieldError(field="owner", value=str(body.owner), message="is nobody we know")])
    return access


async def _shown(runtime: Runtime, goal: GoalId) -> Decimal | None:
    """The progress that whoever closes the goal was shown."""
    async with runtime.engine.connect() as connection:
        row = await readable_goals.find(connection, goal)
    return None if row is None else row.progress


async def _parent(decision: Decision, goal: GoalId, parent: GoalId | None, caller: Caller) -> ParentGoal | None:
    """What is known of the goal above, which must not change before the append; None where the caller sees none."""
    if parent is None:
        return None
    above = (await decision.hold(GOAL, parent)).state
    if isinstance(above, NotSet):
        return None
    access = await access_to(decision.connection, caller, above.level, above.owner)
    if not access.may_read:
        return None
    ancestors = await goal_graph.ancestors(decision.connection, parent)
    return as_parent(above, parent, ancestors, by_hand=await _weighed_by_hand(decision, parent, goal))


async def _weighed_by_hand(decision: Decision, parent: GoalId, goal: GoalId) -> bool | None:
    """How the other goals below are weighed; None: there is no other that counts, or some are weighed each way."""
    await goal_graph.place_in_turn(decision.connection, parent)
    ways = [by_hand for by_hand in (True, False) if await _any_weighed(decision, parent, goal, by_hand=by_hand)]
    return ways[0] if len(ways) == 1 else None


async def _any_weighed(decision: Decision, parent: GoalId, goal: GoalId, *, by_hand: bool) -> bool:
    others = await goal_graph.children_weighed(decision.connection, parent, by_hand=by_hand)
    for child in others:
        if child != goal and not isinstance((await decision.load(GOAL, child)).state, Cancelled):
            return True
    return False
