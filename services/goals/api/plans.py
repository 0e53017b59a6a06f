"""Goal plans: propose, agree, look."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import access_to, relations_to
from services.goals.api.permissions import AGREE, PLANS, PROPOSE
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_plan import (
    GOAL_PLAN,
    AgreeGoalPlan,
    GoalFact,
    NotProposed,
    Proposed,
    ProposeGoalPlan,
    ProposeGoalPlanBody,
)
from services.goals.domain.goal_states import Active, NotSet
from services.goals.projections import goal_plans
from services.goals.projections.goal_plans import PlanRow, PlanState
from shared.eventsourcing.decision import Answer, Decision
from shared.eventsourcing.identifiers import derived
from shared.runtime.authorization import READ, Relation, needs
from shared.runtime.caller import Caller
from shared.runtime.http import CommandAnswer, Edge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goals import PlanWeight
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId
from shared.schemas.values import DecimalString


class PlanView(BaseModel):
    """A plan; weights and their total in percent."""

    id: GoalPlanId
    version: int
    state: PlanState
    owner: PersonId
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    total: DecimalString
    proposed_by: PersonId
    agreed_by: PersonId | None


class PlanDetail(PlanView):
    """A plan, and what the caller may do with it."""

    allowed_actions: list[str]


def plan_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/plans", tags=["goal plans"])

    @routes.post("", status_code=201, summary="Propose which goals count in a period, and how much")
    @needs("plan", PROPOSE)
    async def propose_plan(
        body: Annotated[ProposeGoalPlanBody, Body(openapi_examples=examples.PROPOSE_PLAN)], edge: AtEdge
    ) -> CommandAnswer:
        answer = await _permitted(runtime, edge, body.owner, f"person {body.owner}")
        identity = plan_id(body.owner, body.starts_on, body.ends_on)

        async def plan(decision: Decision) -> None:
            facts = await _facts(decision, edge.caller, [planned.goal for planned in body.goals])
            command = ProposeGoalPlan.from_body(body, facts=facts, **edge.given)
            await decision.decide(GOAL_PLAN, identity, command)

        outcome = (await runtime.handler.handle_together(edge.context, plan, answer=answer))[0]
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/plans/{outcome.identity}")

    @routes.post("/{plan}/agree", summary="Agree to a plan that the other one proposed")
    @needs("plan", AGREE)
    async def agree_plan(plan: GoalPlanId, edge: AtEdge) -> CommandAnswer:
        async with runtime.engine.connect() as connection:
            state = (await runtime.handler.load(connection, GOAL_PLAN, plan)).state
        if isinstance(state, NotProposed):
            raise not_found("plan", plan)
        answer = await _permitted(runtime, edge, state.owner, f"plan {plan}")

        async def agree(decision: Decision) -> None:
            current = (await decision.load(GOAL_PLAN, plan)).state
            weights = current.weights if isinstance(current, Proposed) else ()
            facts = await _facts(decision, edge.caller, [weight.goal for weight in weights])
            await decision.decide(GOAL_PLAN, plan, AgreeGoalPlan(facts=facts, **edge.given))

        return edge.accepted((await runtime.handler.handle_together(edge.context, agree, answer=answer))[0])

    @routes.get("/{plan}", summary="One plan")
    @needs("plan", READ)
    async def show_plan(plan: GoalPlanId, edge: AtEdge) -> PlanDetail:
        await runtime.wait(goal_plans.PROJECTION.name, edge.consistency)
        async with runtime.engine.connect() as connection:
            row = await goal_plans.find(connection, plan)
            if row is None:
                raise not_found("plan", plan)
            relations = await relations_to(connection, edge.caller, row.owner)
        PLANS.require(edge.action, edge.caller, relations, of=f"plan {plan}")
        edge.response.headers["ETag"] = f'"{row.version}"'
        proposer = row.proposed_by if row.state is PlanState.PROPOSED else None
        return PlanDetail(**_view(row).model_dump(), allowed_actions=_actions(edge, relations, proposer))

    @routes.get("", summary="A person's plans, the earliest period first")
    @needs("plan", READ)
    async def list_plans(edge: AtEdge, page: AskedPage, owner: PersonId | None = None) -> Page[PlanView]:
        whose = owner or edge.caller.person
        await runtime.wait(goal_plans.PROJECTION.name, edge.consistency)
        async with runtime.engine.connect() as connection:
            relations = await relations_to(connection, edge.caller, whose)
            PLANS.require(edge.action, edge.caller, relations, of=f"person {whose}")
            after = page.after(tuple[date, GoalPlanId])
            rows = await goal_plans.of_owner(connection, whose, after=after, limit=page.limit + 1)
        return page.of(rows, key=lambda row: (row.starts_on, row.plan), item=_view)

    return routes


def plan_id(owner: PersonId, starts_on: date, ends_on: date) -> GoalPlanId:
    """A person has one plan a period."""
    return GoalPlanId(derived("goalplan", owner, starts_on, ends_on))


async def _permitted(runtime: Runtime, edge: Edge, owner: PersonId, what: str) -> Answer:
    async with runtime.engine.connect() as connection:
        relations = await relations_to(connection, edge.caller, owner)
    PLANS.require(edge.action, edge.caller, relations, of=what)
    return edge.describe(
        lambda state: _actions(edge, relations, state.proposed_by if isinstance(state, Proposed) else None)
    )


async def _facts(decision: Decision, caller: Caller, goals: Iterable[GoalId]) -> tuple[GoalFact, ...]:
    """What is known of the goals, which must not change before the append; of one that is hidden, nothing."""
    facts: list[GoalFact] = []
    for goal in dict.fromkeys(goals):
        state = (await decision.hold(GOAL, goal)).state
        if isinstance(state, NotSet):
            continue
        if (await access_to(decision.connection, caller, state.level, state.owner)).may_read:
            facts.append(GoalFact(goal=goal, owner=state.owner, active=isinstance(state, Active)))
    return tuple(facts)


def _actions(edge: Edge, relations: set[Relation], proposed_by: PersonId | None) -> list[str]:
    """`proposed_by` is None where the plan is not proposed (any more): nothing is left to do."""
    possible = [] if proposed_by is None else [PROPOSE] if proposed_by == edge.caller.person else [PROPOSE, AGREE]
    return PLANS.allowed_actions(possible, edge.caller, relations)


def _view(row: PlanRow) -> PlanView:
    return PlanView(
        id=row.plan,
        version=row.version,
        state=row.state,
        owner=row.owner,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        weights=row.weights,
        total=row.total,
        proposed_by=row.proposed_by,
        agreed_by=row.agreed_by,
    )
