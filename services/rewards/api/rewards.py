"""Rewards over HTTP: look, approve, reject, adjust."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.api import reward_steps
from services.rewards.api.permissions import (
    ADJUST,
    APPROVE,
    LIST_ALL,
    REJECT,
    REWARDS,
    allowed_actions,
    is_hidden,
    relations_to,
)
from services.rewards.domain.reward import (
    REWARD,
    AdjustRewardBody,
    Approved,
    Granted,
    Proposed,
    Refused,
    RejectRewardBody,
    Reward,
)
from services.rewards.projections import rewards_by_status
from services.rewards.projections.reward_status import RewardStatus
from services.rewards.projections.rewards_by_status import RewardRow, SortKey, Wanted
from shared.eventsourcing.decision import Decision
from shared.people.reporting_line import people_below
from shared.runtime.authorization import READ, Relation, needs
from shared.runtime.caller import Role
from shared.runtime.http import AtEdge, CommandAnswer, Edge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import PaymentId, PersonId, ReviewCycleId, ReviewId, RewardId
from shared.schemas.money import Money
from shared.schemas.values import DecimalString, Known

Step = Callable[[Decision], Awaitable[None]]


class RewardView(BaseModel):
    """A reward as it stands; one that was not proposed says why and has no money."""

    id: RewardId
    version: int
    status: RewardStatus
    person: PersonId
    cycle: ReviewCycleId
    review: ReviewId
    nominated_by: PersonId | None
    approved_by: PersonId | None
    payment: PaymentId | None
    reason: str | None
    rating: DecimalString | None
    percent: DecimalString | None = Field(description="Of the annual base salary.")
    amount: Money | None
    increase: Money | None = Field(description="The part that raises the base salary.")
    lump_sum: Money | None = Field(description="The part that would have exceeded the range.")
    warnings: tuple[str, ...]
    proposed_at: datetime


class StatusSum(BaseModel):
    """How many rewards have a status, and their money in minor units; without money there is no currency."""

    status: RewardStatus
    currency: str | None
    count: int
    amount_minor: int


def reward_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/rewards", tags=["rewards"])

    @routes.get("", summary="Rewards, the first proposed first")
    @needs("reward", READ)
    async def list_rewards(
        *,
        edge: AtEdge,
        page: AskedPage,
        person: PersonId | None = None,
        status: Known[RewardStatus] | None = None,
        cycle: ReviewCycleId | None = None,
    ) -> Page[RewardView]:
        """HR and payroll see all; managers those of people below them; everybody their own once approved."""
        await runtime.wait(rewards_by_status.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            persons = await _visible(connection, edge, person)
            wanted = Wanted(persons=persons, reader=edge.caller.person, status=status, cycle=cycle)
            rows = await rewards_by_status.page(connection, wanted, after=page.after(SortKey), limit=page.limit + 1)
        return page.of(rows, key=lambda row: (row.proposed_at, row.reward), item=_view)

    @routes.get("/totals", summary="Number and money of rewards by status")
    @needs("reward", LIST_ALL)
    async def show_totals(edge: AtEdge, cycle: ReviewCycleId | None = None) -> Sequence[StatusSum]:
        REWARDS.require(edge.action, edge.caller)
        await runtime.wait(rewards_by_status.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            totals = await rewards_by_status.totals(connection, Wanted(cycle=cycle))
        return [
            StatusSum(status=t.status, currency=t.currency, count=t.count, amount_minor=t.amount_minor) for t in totals
        ]

    @routes.get("/{reward}", summary="One reward")
    @needs("reward", READ)
    async def show_reward(reward: RewardId, edge: AtEdge) -> RewardView:
        await runtime.wait(rewards_by_status.PROJECTION.name, edge.consistency)
        async with runtime.reading.connect() as connection:
            row = await rewards_by_status.find(connection, reward)
            if row is None:
                raise not_found("reward", reward)
            relations = await relations_to(connection, edge.caller, row.person)
        if is_hidden(row.status, relations):
            raise not_found("reward", reward)
        REWARDS.require(edge.action, edge.caller, relations, of=f"reward {reward}")
        edge.response.headers["ETag"] = f'"{row.version}"'
        return _view(row)

    @routes.post("/{reward}/approve", summary="Approve: the budget is spent and payroll is told to pay")
    @needs("reward", APPROVE)
    async def approve(reward: RewardId, edge: AtEdge) -> CommandAnswer:
        return await _step(runtime, edge, reward, lambda d: reward_steps.approve(d, reward, edge))

    @routes.post("/{reward}/reject", summary="Reject: the budget that was reserved is free again")
    @needs("reward", REJECT)
    async def reject(reward: RewardId, body: RejectRewardBody, edge: AtEdge) -> CommandAnswer:
        return await _step(runtime, edge, reward, lambda d: reward_steps.reject(d, reward, body, edge))

    @routes.post("/{reward}/adjust", summary="Propose another percentage, within the guideline's limits")
    @needs("reward", ADJUST)
    async def adjust(reward: RewardId, body: AdjustRewardBody, edge: AtEdge) -> CommandAnswer:
        return await _step(runtime, edge, reward, lambda d: reward_steps.adjust(d, reward, body, edge))

    return routes


async def _step(runtime: Runtime, edge: Edge, reward: RewardId, step: Step) -> CommandAnswer:
    """Ask the table who may, then let the rules decide; they name who must not, such as the beneficiary."""
    async with runtime.reading.connect() as connection:
        state = (await runtime.handler.load(connection, REWARD, reward)).state
        person = _person(state)
        if person is None:
            raise not_found("reward", reward)
        relations = await relations_to(connection, edge.caller, person)
    own = edge.caller.person == person and Role.HR not in edge.caller.roles
    REWARDS.require(edge.action, edge.caller, relations - {Relation.SELF} if own else relations, of=f"reward {reward}")

    def actions(after: Reward) -> list[str]:
        return allowed_actions(after, edge.caller, relations)

    outcomes = await runtime.handler.handle_together(edge.context, step, answer=edge.describe(actions))
    return edge.accepted(outcomes[0])


def _person(reward: Reward) -> PersonId | None:
    return reward.proposal.person if isinstance(reward, Proposed | Approved | Refused | Granted) else None


async def _visible(connection: AsyncConnection, edge: Edge, person: PersonId | None) -> set[PersonId] | None:
    """Whose rewards the caller may list; None: everybody's. Their own are among them."""
    if REWARDS.allows(LIST_ALL, edge.caller):
        return None if person is None else {person}
    visible = {edge.caller.person}
    if Role.MANAGER in edge.caller.roles:
        below = await connection.scalars(select(people_below(edge.caller.person).subquery()))
        visible.update(map(PersonId, below))
    if person is not None and person not in visible:
        raise not_found("person", person)
    return visible if person is None else {person}


def _view(row: RewardRow) -> RewardView:
    return RewardView(
        id=row.reward,
        version=row.version,
        status=row.status,
        person=row.person,
        cycle=row.cycle,
        review=row.review,
        nominated_by=row.nominated_by,
        approved_by=row.approved_by,
        payment=row.payment,
        reason=row.reason,
        rating=row.rating,
        percent=row.percent,
        amount=row.amount,
        increase=row.increase,
        lump_sum=row.lump_sum,
        warnings=row.warnings,
        proposed_at=row.proposed_at,
    )
