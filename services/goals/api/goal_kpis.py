"""Goals and KPIs: bind a goal to a KPI, which then moves it, and unbind it."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import kpi_examples as examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import permitted
from services.goals.api.permissions import BIND
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_kpi import BindGoalToKpi, BindGoalToKpiBody, UnbindGoalFromKpi, UnbindGoalFromKpiBody
from services.goals.domain.kpi import KPI, as_fact
from services.goals.projections import bound_goals
from shared.eventsourcing.decision import Decision
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_kpi_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/bind", summary="Bind a goal to a KPI, which moves it from then on")
    @needs("goal", BIND)
    async def bind_goal(
        goal: GoalId, body: Annotated[BindGoalToKpiBody, Body(openapi_examples=examples.BIND_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)

        async def plan(decision: Decision) -> None:
            defined = as_fact((await decision.hold(KPI, body.kpi)).state)
            command = BindGoalToKpi.from_body(body, at=edge.now, by=edge.caller.person, defined=defined)
            await decision.decide(GOAL, goal, command)
            await bound_goals.bind(decision.connection, goal, body.kpi)

        return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])

    @routes.post("/{goal}/unbind", summary="Unbind a goal from its KPI: it moves by hand again")
    @needs("goal", BIND)
    async def unbind_goal(
        goal: GoalId, body: Annotated[UnbindGoalFromKpiBody, Body(openapi_examples=examples.UNBIND_GOAL)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await permitted(runtime, edge, goal)

        async def plan(decision: Decision) -> None:
            command = UnbindGoalFromKpi.from_body(body, at=edge.now, by=edge.caller.person)
            await decision.decide(GOAL, goal, command)
            await bound_goals.unbind(decision.connection, goal)

        return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])

    return routes
