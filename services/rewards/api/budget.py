"""Budget pools and reward programs: what HR sets aside, and how it is shared out."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.rewards.api import examples
from services.rewards.api.permissions import BUDGETS, OPEN, TOP_UP
from services.rewards.domain.budget_pool import (
    POOL,
    BudgetPool,
    NotOpened,
    Open,
    OpenBudgetPool,
    TopUpBudget,
    TopUpBudgetBody,
)
from services.rewards.domain.reward_program import PROGRAM, OpenRewardProgram
from services.rewards.projections import budget_left
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.authorization import READ, needs
from shared.runtime.http import AtEdge, CommandAnswer
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import BudgetPoolId, RewardProgramId
from shared.schemas.money import Money


class PoolView(BaseModel):
    """A pool's money: available = amount - reserved - committed."""

    id: BudgetPoolId
    name: str
    amount: Money
    reserved: Money
    committed: Money
    available: Money


def budget_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(tags=["budgets and programs"])
    handler = runtime.handler

    @routes.post("/pools", status_code=201, summary="Set money aside")
    @needs("budget", OPEN)
    async def open_pool(body: examples.OpenPool, edge: AtEdge) -> CommandAnswer:
        BUDGETS.require(edge.action, edge.caller)
        command = OpenBudgetPool.from_body(body, at=edge.now, by=edge.caller.person)
        answer = edge.describe(lambda _pool: BUDGETS.allowed_actions([TOP_UP], edge.caller))
        outcome = await handler.handle(edge.context, POOL, uuid7(), command, answer=answer)
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/pools/{outcome.identity}")

    @routes.post("/pools/{pool}/top-up", summary="Add money to a pool, with a reason")
    @needs("budget", TOP_UP)
    async def top_up(pool: BudgetPoolId, body: TopUpBudgetBody, edge: AtEdge) -> CommandAnswer:
        BUDGETS.require(edge.action, edge.caller)
        command = TopUpBudget.from_body(body, at=edge.now, by=edge.caller.person)

        async def plan(decision: Decision) -> None:
            if isinstance((await decision.in_turn(POOL, pool)).state, NotOpened):
                raise not_found("pool", pool)
            await decision.decide(POOL, pool, command)

        answer = edge.describe(lambda _pool: BUDGETS.allowed_actions([TOP_UP], edge.caller))
        return edge.accepted((await handler.handle_together(edge.context, plan, answer=answer))[0])

    @routes.get("/pools/{pool}", summary="How much of a pool is left")
    @needs("budget", READ)
    async def show_pool(pool: BudgetPoolId, edge: AtEdge) -> PoolView:
        BUDGETS.require(edge.action, edge.caller)
        await runtime.wait(budget_left.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            found = await budget_left.find(connection, pool)
        if found is None:
            raise not_found("pool", pool)
        return PoolView(
            id=found.pool,
            name=found.name,
            amount=found.amount,
            reserved=found.reserved,
            committed=found.committed,
            available=found.available,
        )

    @routes.post("/programs", status_code=201, summary="Open the merit program of a review cycle")
    @needs("budget", OPEN)
    async def open_program(body: examples.OpenProgram, edge: AtEdge) -> CommandAnswer:
        """One program a cycle. Reviews that are completed from now on lead to proposals under it."""
        BUDGETS.require(edge.action, edge.caller)
        program = RewardProgramId(derived("program", "merit", body.cycle))

        async def plan(decision: Decision) -> None:
            currency = _currency((await decision.load(POOL, body.pool)).state)
            command = OpenRewardProgram.from_body(body, at=edge.now, by=edge.caller.person, pool_currency=currency)
            await decision.decide(PROGRAM, program, command)

        answer = edge.describe(lambda _program: list[str]())
        return edge.accepted((await handler.handle_together(edge.context, plan, answer=answer))[0])

    return routes


def _currency(pool: BudgetPool) -> str | None:
    return pool.currency if isinstance(pool, Open) else None
