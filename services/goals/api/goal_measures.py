"""How goals are measured, written: by what, and what the goals below weigh."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import permitted
from services.goals.api.permissions import CHOOSE_MEASURE, WEIGH
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_measure import (
    ChooseMeasure,
    ChooseMeasureBody,
    WeighChildren,
    WeighChildrenBody,
    WeighGoal,
)
from services.goals.projections import goal_graph
from shared.eventsourcing.decision import Decision
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_measure_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/measure", summary="Choose the one source of a goal's progress")
    @needs("goal", CHOOSE_MEASURE)
    async def choose_measure(
        goal: GoalId, body: Annotated[ChooseMeasureBody, Body(openapi_examples=examples.CHOOSE_MEASURE)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)
        command = ChooseMeasure.from_body(body, **edge.given)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL, goal, command, answer=answer))

    @routes.post("/{goal}/weights", summary="Weigh the goals below a goal: each by hand, or all equally")
    @needs("goal", WEIGH)
    async def weigh_children(
        goal: GoalId, body: Annotated[WeighChildrenBody, Body(openapi_examples=examples.WEIGH_CHILDREN)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)

        async def plan(decision: Decision) -> None:
            await goal_graph.lock(decision.connection)
            below = list(await goal_graph.weighed_children(decision.connection, goal))
            await decision.decide(GOAL, goal, WeighChildren.from_body(body, below=tuple(below), **edge.given))
            weights = {weight.goal: weight.weight for weight in body.weights}
            for child in below:
                await decision.decide(GOAL, child, WeighGoal(weight=weights.get(child), **edge.given))
            await goal_graph.write(decision)

        return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])

    return routes
