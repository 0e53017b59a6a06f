"""Rewards by status and money, asked of the read model on a real PostgreSQL: events in, rows out."""

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections import rewards_by_status
from services.rewards.projections.reward_status import RewardStatus
from services.rewards.projections.rewards_by_status import PROJECTION, StatusTotal, Wanted
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.identifiers import ReviewCycleId
from tests.integration.services.feedback.published import moment, out_of_phase
from tests.integration.services.rewards.published import approval, flattened, payment_of, person_of, reward, reward_id
from tests.integration.services.rewards.published import proposal as proposal_of
from tests.unit.services.rewards.examples import (
    CYCLE,
    HR,
    MANAGER,
    PROGRAM,
    REVIEW,
    adjusted,
    granted,
    not_proposed,
    rejected,
    usd,
)

HISTORIES: list[list[Event]] = [
    [proposal_of(0)],
    [proposal_of(1), approval(1)],
    [proposal_of(2), approval(2), granted],
    [proposal_of(3), rejected],
    [not_proposed],
    [proposal_of(5), adjusted],
]


def histories() -> list[list[Recorded]]:
    return [reward(number, *events) for number, events in enumerate(HISTORIES)]


async def test_a_reward_is_shown_as_it_stands(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, reward(1, proposal_of(1), adjusted, approval(1)))
    assert await rewards_by_status.find(connection, reward_id(1)) == rewards_by_status.RewardRow(
        reward=reward_id(1),
        version=3,
        status=RewardStatus.APPROVED,
        person=person_of(1),
        cycle=CYCLE,
        review=REVIEW,
        program=PROGRAM,
        pool=proposal_of(1).pool,
        nominated_by=MANAGER,
        approved_by=HR,
        payment=payment_of(1),
        reason=adjusted.reason,
        rating=Decimal("3.40"),
        percent=Decimal("4.5"),
        amount=usd("2700.00"),
        increase=usd("2700.00"),
        lump_sum=usd("0.00"),
        warnings=("merit-percent-above-the-guideline",),
        proposed_at=moment(1),
    )


async def test_a_review_without_a_reward_is_shown_with_its_reason(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, reward(1, not_proposed))
    row = await rewards_by_status.find(connection, reward_id(1))
    assert row is not None
    assert (row.status, row.reason, row.amount) == (RewardStatus.NOT_PROPOSED, "no-open-program", None)


async def test_an_unknown_reward_is_not_found(connection: AsyncConnection) -> None:
    assert await rewards_by_status.find(connection, reward_id(1)) is None


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_totals_are_the_same(connection: AsyncConnection, seed: int) -> None:
    for events in out_of_phase(histories(), seed):
        await PROJECTION.apply(connection, events)
    assert await rewards_by_status.totals(connection) == [
        StatusTotal(RewardStatus.APPROVED, "USD", 1, 180_000),
        StatusTotal(RewardStatus.GRANTED, "USD", 1, 180_000),
        StatusTotal(RewardStatus.NOT_PROPOSED, None, 1, 0),
        StatusTotal(RewardStatus.PROPOSED, "USD", 2, 450_000),
        StatusTotal(RewardStatus.REJECTED, "USD", 1, 180_000),
    ]


async def test_pages_follow_each_other_without_gap_or_overlap(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, flattened(histories()))
    seen: list[object] = []
    after = None
    while page := await rewards_by_status.page(connection, after=after, limit=4):
        seen += [row.reward for row in page]
        after = (page[-1].proposed_at, page[-1].reward)
    assert seen == [reward_id(number) for number in range(6)]


async def test_a_list_is_narrowed_by_person_status_and_cycle(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, flattened(histories()))

    async def rewards(wanted: Wanted) -> list[object]:
        return [row.reward for row in await rewards_by_status.page(connection, wanted, after=None, limit=10)]

    assert await rewards(Wanted(persons=[person_of(2), person_of(3)])) == [reward_id(2), reward_id(3)]
    assert await rewards(Wanted(status=RewardStatus.PROPOSED)) == [reward_id(0), reward_id(5)]
    assert len(await rewards(Wanted(cycle=CYCLE))) == 6
    assert await rewards(Wanted(cycle=ReviewCycleId(PROGRAM))) == []
    assert await rewards(Wanted(persons=[])) == []
