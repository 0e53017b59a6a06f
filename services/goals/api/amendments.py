"""Amendments of agreed plans: proposed by one side, approved as a whole or sent back by the other."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from services.goals.api import amendment_examples
from services.goals.api.amendment_effects import Amending
from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_moves import taking_turns
from services.goals.api.permissions import AGREE, AMEND, RETURN
from services.goals.api.plan_parties import facts_of
from services.goals.api.plans import party_to
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_amendment import ProposeAmendment, ProposeAmendmentBody, agreed_or_rejected
from services.goals.domain.plan_approval import ApproveAmendment, ReturnAmendment, ReturnAmendmentBody
from services.goals.domain.plan_sides import Standing
from services.goals.projections import goal_graph
from shared.eventsourcing.decision import Decision, Plan
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalPlanId


def amendment_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/plans/{plan}/amendments", tags=["goal plans"])

    @routes.post("", status_code=201, summary="Propose to change an agreed plan and its goals in one act")
    @needs("plan", AMEND)
    async def propose_amendment(
        plan: GoalPlanId,
        body: Annotated[ProposeAmendmentBody, Body(openapi_examples=amendment_examples.PROPOSE_AMENDMENT)],
        edge: AtEdge,
    ) -> CommandAnswer:
        """`Location` names the amendment. What the goals' own rules would refuse later is refused now."""
        party, amendment = await party_to(runtime, edge, plan), uuid7()
        proposing = _proposed(runtime, edge, plan, amendment, body=body, standing=party.standing)
        answer = edge.describe(party.actions)
        outcome = await taking_turns(runtime, edge, proposing, answer)
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/plans/{plan}/amendments/{amendment}")

    @routes.post("/{amendment}/approve", summary="Approve an amendment: plan and goals change at once")
    @needs("plan", AGREE)
    async def approve_amendment(plan: GoalPlanId, amendment: UUID, edge: AtEdge) -> CommandAnswer:
        party = await party_to(runtime, edge, plan)
        approving = _approved(runtime, edge, plan, amendment, standing=party.standing)
        answer = edge.describe(party.actions)
        return edge.accepted(await taking_turns(runtime, edge, approving, answer))

    @routes.post("/{amendment}/return", summary="Send an amendment back with a comment, or take one's own back")
    @needs("plan", RETURN)
    async def return_amendment(
        plan: GoalPlanId,
        amendment: UUID,
        body: Annotated[ReturnAmendmentBody, Body(openapi_examples=amendment_examples.RETURN_AMENDMENT)],
        edge: AtEdge,
    ) -> CommandAnswer:
        party = await party_to(runtime, edge, plan)
        command = ReturnAmendment.from_body(body, amendment=amendment, standing=party.standing, **edge.given)
        answer = edge.describe(party.actions)
        return edge.accepted(await runtime.handler.handle(edge.context, GOAL_PLAN, plan, command, answer=answer))

    return routes


def _proposed(
    runtime: Runtime,
    edge: GoalsEdge,
    plan: GoalPlanId,
    amendment: UUID,
    *,
    body: ProposeAmendmentBody,
    standing: Standing,
) -> Plan:
    async def propose(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        facts = await facts_of(decision, edge, plan, [planned.goal for planned in body.goals])
        command = ProposeAmendment.from_body(body, amendment=amendment, facts=facts, standing=standing, **edge.given)
        agreed = agreed_or_rejected(await decision.decide(GOAL_PLAN, plan, command))
        if agreed.amendment is not None:
            await Amending(runtime.vault, edge, plan, agreed.amendment).tried(decision, agreed, facts)

    return propose


def _approved(runtime: Runtime, edge: GoalsEdge, plan: GoalPlanId, amendment: UUID, *, standing: Standing) -> Plan:
    async def approve(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        before = agreed_or_rejected((await decision.load(GOAL_PLAN, plan)).state)
        waiting = before.amendment
        goals = [] if waiting is None else [weight.goal for weight in waiting.weights]
        facts = await facts_of(decision, edge, plan, goals)
        command = ApproveAmendment(amendment=amendment, facts=facts, standing=standing, **edge.given)
        await decision.decide(GOAL_PLAN, plan, command)
        if waiting is not None and waiting.amendment == amendment:
            await Amending(runtime.vault, edge, plan, waiting).carry_out(decision, before, facts)

    return approve
