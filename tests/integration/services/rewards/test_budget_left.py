"""What is left of a pool, asked of the read model on a real PostgreSQL: events in, rows out."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections import budget_left
from services.rewards.projections.budget_left import PROJECTION, BudgetLeft
from shared.schemas.identifiers import BudgetPoolId
from shared.schemas.rewards import BudgetReserved
from tests.integration.services.feedback.published import out_of_phase
from tests.integration.services.rewards.published import stream
from tests.unit.services.rewards.examples import (
    OTHER_REWARD,
    POOL_ID,
    PROGRAM,
    committed,
    pool_opened,
    refused,
    released,
    reserved,
    topped_up,
    usd,
)

HISTORY = [
    pool_opened,
    reserved,
    BudgetReserved(reward=OTHER_REWARD, amount=usd("200.00")),
    released,
    refused,
    topped_up,
    reserved,
    committed,
]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_in_any_slices_the_sums_are_the_same(connection: AsyncConnection, seed: int) -> None:
    streams = [stream("pool", POOL_ID, *HISTORY), stream("pool", PROGRAM, pool_opened)]
    for events in out_of_phase(streams, seed):
        await PROJECTION.apply(connection, events)
    assert await budget_left.find(connection, POOL_ID) == BudgetLeft(
        pool=POOL_ID,
        name="Merit 2025",
        amount=usd("10500.00"),
        reserved=usd("200.00"),
        committed=usd("1800.00"),
        available=usd("8500.00"),
    )


async def test_an_unknown_pool_is_not_found(connection: AsyncConnection) -> None:
    assert await budget_left.find(connection, BudgetPoolId(PROGRAM)) is None
