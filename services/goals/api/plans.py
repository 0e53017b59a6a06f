"""Goal plans: draft, propose, send back, agree, look."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_access import relations_to
from services.goals.api.permissions import AGREE, DRAFT, PLANS, PROPOSE, RETURN
from services.goals.api.plan_effects import hold_goals
from services.goals.api.plan_parties import facts_of, standing_of
from services.goals.api.plan_views import Party, PlanDetail, PlanView, hidden_of, plan_view
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_agreement import AgreeGoalPlan, ReturnGoalPlan, ReturnGoalPlanBody
from services.goals.domain.plan_proposal import DraftGoalPlan, ProposeGoalPlan, ProposeGoalPlanBody
from services.goals.domain.plan_states import GoalPlan, NotProposed, Proposed
from services.goals.projections import agreed_plans, goal_plans
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import derived
from shared.runtime.authorization import READ, needs
from shared.runtime.http import CommandAnswer
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.identifiers import GoalPlanId, PersonId


def plan_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/plans", tags=["goal plans"])

    @routes.post("/drafts", status_code=201, summary="Draft which goals might count in a period, and how much")
    @needs("plan", DRAFT)
    async def draft_plan(
        body: Annotated[ProposeGoalPlanBody, Body(openapi_examples=examples.PROPOSE_PLAN)], edge: AtEdge
    ) -> CommandAnswer:
        return await _written(runtime, edge, body)

    @routes.post("", status_code=201, summary="Propose which goals count in a period, and how much")
    @needs("plan", PROPOSE)
    async def propose_plan(
        body: Annotated[ProposeGoalPlanBody, Body(openapi_examples=examples.PROPOSE_PLAN)], edge: AtEdge
    ) -> CommandAnswer:
        return await _written(runtime, edge, body)

    @routes.post("/{plan}/return", summary="Send a proposal back with a comment")
    @needs("plan", RETURN)
    async def return_plan(
        plan: GoalPlanId,
        body: Annotated[ReturnGoalPlanBody, Body(openapi_examples=examples.RETURN_PLAN)],
        edge: AtEdge,
    ) -> CommandAnswer:
        party = await party_to(runtime, edge, plan)
        command = ReturnGoalPlan.from_body(body, standing=party.standing, **edge.given)
        answer = edge.describe(party.actions)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL_PLAN, plan, command, answer=answer))

    @routes.post("/{plan}/agree", summary="Agree to a plan that the other one proposed")
    @needs("plan", AGREE)
    async def agree_plan(plan: GoalPlanId, edge: AtEdge) -> CommandAnswer:
        party = await party_to(runtime, edge, plan)

        async def agree(decision: Decision) -> None:
            current = (await decision.load(GOAL_PLAN, plan)).state
            weights = current.weights if isinstance(current, Proposed) else ()
            facts = await facts_of(decision, edge, plan, [weight.goal for weight in weights])
            command = AgreeGoalPlan(facts=facts, standing=party.standing, **edge.given)
            await decision.decide(GOAL_PLAN, plan, command)
            if isinstance(current, Proposed):
                await hold_goals(decision, edge, plan, current.scope.level, facts)
                await agreed_plans.write(decision.connection, plan, current.scope)

        answer = edge.describe(party.actions)
        return edge.accepted((await runtime.handler.handle_together(edge.context, agree, answer=answer))[0])

    @routes.get("/{plan}", summary="One plan")
    @needs("plan", READ)
    async def show_plan(plan: GoalPlanId, edge: AtEdge) -> PlanDetail:
        await runtime.wait(goal_plans.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await goal_plans.find(connection, plan)
            if row is None:
                raise not_found("plan", plan)
            relations = await relations_to(connection, edge.caller, row.owner)
            party = Party(edge, relations, await standing_of(connection, edge.caller, row.owner))
        PLANS.require(edge.action, edge.caller, relations, of=f"plan {plan}")
        edge.response.headers["ETag"] = f'"{row.version}"'
        view = plan_view(row, await hidden_of(runtime, edge.caller, [row]))
        return PlanDetail(**view.model_dump(), allowed_actions=party.actions_on(row))

    @routes.get("", summary="A person's plans, the earliest period first")
    @needs("plan", READ)
    async def list_plans(edge: AtEdge, page: AskedPage, owner: PersonId | None = None) -> Page[PlanView]:
        whose = owner or edge.caller.person
        await runtime.wait(goal_plans.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            relations = await relations_to(connection, edge.caller, whose)
            PLANS.require(edge.action, edge.caller, relations, of=f"person {whose}")
            after = page.after(tuple[date, GoalPlanId])
            rows = await goal_plans.of_owner(connection, whose, after=after, limit=page.limit + 1)
        hidden = await hidden_of(runtime, edge.caller, rows)
        return page.of(rows, key=lambda row: (row.starts_on, row.plan), item=lambda row: plan_view(row, hidden))

    return routes


def plan_id(owner: PersonId, level: GoalLevel, starts_on: date, ends_on: date) -> GoalPlanId:
    """A person has one plan a period at each level."""
    of_level = () if level is GoalLevel.PERSON else (level.value,)
    return GoalPlanId(derived("goalplan", owner, starts_on, ends_on, *of_level))


async def party_to(runtime: Runtime, edge: GoalsEdge, plan: GoalPlanId) -> Party:
    """The caller before a plan that is there, if they may do what the route declares.

    Raises:
        Problem: 404, there is no such plan or the caller may not see it; 403, they may not do this with it.
    """
    state: GoalPlan = await runtime.handler.state_once(GOAL_PLAN, plan)
    if isinstance(state, NotProposed):
        raise not_found("plan", plan)
    return await _party(runtime, edge, state.scope.owner, f"plan {plan}")


async def _party(runtime: Runtime, edge: GoalsEdge, owner: PersonId, what: str) -> Party:
    async with runtime.reading.connect() as connection:
        relations = await relations_to(connection, edge.caller, owner)
        PLANS.require(edge.action, edge.caller, relations, of=what)
        return Party(edge, relations, await standing_of(connection, edge.caller, owner))


async def _written(runtime: Runtime, edge: GoalsEdge, body: ProposeGoalPlanBody) -> CommandAnswer:
    party = await _party(runtime, edge, body.owner, f"person {body.owner}")
    identity = plan_id(body.owner, body.level, body.starts_on, body.ends_on)

    async def plan(decision: Decision) -> None:
        facts = await facts_of(decision, edge, identity, [planned.goal for planned in body.goals])
        if edge.action == DRAFT:
            command = DraftGoalPlan.from_body(body, facts=facts, **edge.given)
        else:
            command = ProposeGoalPlan.from_body(body, facts=facts, standing=party.standing, **edge.given)
        await decision.decide(GOAL_PLAN, identity, command)

    answer = edge.describe(party.actions)
    outcome = (await runtime.handler.handle_together(edge.context, plan, answer=answer))[0]
    return edge.accepted(outcome, location=f"{runtime.service.base_path}/plans/{outcome.identity}")
