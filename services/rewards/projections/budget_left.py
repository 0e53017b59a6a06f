"""How much of a budget pool is left, reserved and committed?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Numeric, Table, Text, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import BudgetPoolId, RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import (
    TOPIC,
    BudgetCommitted,
    BudgetPoolOpened,
    BudgetReleased,
    BudgetReserved,
    BudgetToppedUp,
)

_METADATA: Final = MetaData()
BUDGET_POOLS: Final = Table(
    "budget_pools",
    _METADATA,
    Column("pool", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Numeric, nullable=False, comment="minor units"),
    Column("position", BigInteger, nullable=False, comment="of the last event applied: an amount is added once"),
)
BUDGET_HOLDS: Final = Table(
    "budget_holds",
    _METADATA,
    Column("pool", Uuid, primary_key=True),
    Column("reward", Uuid, primary_key=True),
    Column("reserved", BigInteger, nullable=False, comment="minor units"),
    Column("committed", BigInteger, nullable=False, comment="minor units"),
    Column("position", BigInteger, nullable=False, comment="of the last event applied"),
)
_HELD: Final = BUDGET_HOLDS.c.reserved + BUDGET_HOLDS.c.committed


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """A pool's money: available = amount - reserved - committed."""

    pool: BudgetPoolId
    name: str
    amount: Money
    reserved: Money
    committed: Money
    available: Money


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A pool is one stream; its rows are touched by no other partition."""
    opened = [_pool(record, record.event) for record in events if isinstance(record.event, BudgetPoolOpened)]
    if opened:
        await connection.execute(insert(BUDGET_POOLS).on_conflict_do_nothing(), opened)
    topped_up = [
        {"stream": record.stream_id, "at": record.position, "more": record.event.amount.minor}
        for record in events
        if isinstance(record.event, BudgetToppedUp)
    ]
    if topped_up:
        await connection.execute(
            update(BUDGET_POOLS)
            .where(BUDGET_POOLS.c.pool == bindparam("stream"), BUDGET_POOLS.c.position < bindparam("at"))
            .values(amount=BUDGET_POOLS.c.amount + bindparam("more"), position=bindparam("at")),
            topped_up,
        )
    holds = {(hold["pool"], hold["reward"]): hold for record in events if (hold := _hold(record)) is not None}
    if holds:
        await _upsert_holds(connection, list(holds.values()))


def _pool(record: Recorded, event: BudgetPoolOpened) -> dict[str, Any]:
    return {
        "pool": record.stream_id,
        "name": event.name,
        "currency": event.amount.currency,
        "amount": event.amount.minor,
        "position": record.position,
    }


def _hold(record: Recorded) -> dict[str, Any] | None:
    """What is held and spent for a reward after this event."""
    match record.event:
        case BudgetReserved(reward=reward, amount=amount):
            return _held(record, reward, reserved=amount.minor)
        case BudgetCommitted(reward=reward, amount=amount):
            return _held(record, reward, committed=amount.minor)
        case BudgetReleased(reward=reward):
            return _held(record, reward)
        case _:
            return None


def _held(record: Recorded, reward: RewardId, *, reserved: int = 0, committed: int = 0) -> dict[str, Any]:
    return {
        "pool": record.stream_id,
        "reward": reward,
        "reserved": reserved,
        "committed": committed,
        "position": record.position,
    }


async def _upsert_holds(connection: AsyncConnection, holds: Sequence[dict[str, Any]]) -> None:
    statement = insert(BUDGET_HOLDS)
    new = statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[BUDGET_HOLDS.c.pool, BUDGET_HOLDS.c.reward],
            set_={"reserved": new.reserved, "committed": new.committed, "position": new.position},
            where=BUDGET_HOLDS.c.position < new.position,
        ),
        holds,
    )


PROJECTION: Final = Projection(name="budget_left", topics=(TOPIC,), tables=(BUDGET_POOLS, BUDGET_HOLDS), apply=apply)


_USE: Final = (
    select(BUDGET_POOLS.c.pool, BUDGET_POOLS.c.amount, func.coalesce(func.sum(_HELD), 0))
    .outerjoin(BUDGET_HOLDS, BUDGET_HOLDS.c.pool == BUDGET_POOLS.c.pool)
    .group_by(BUDGET_POOLS.c.pool)
    .order_by(BUDGET_POOLS.c.pool.desc())
    .limit(100)
)


async def use(connection: AsyncConnection) -> list[tuple[dict[str, str], float]]:
    """Of the hundred newest pools the share (0 to 1) that is reserved or committed; no name, no amount."""
    rows = await connection.execute(_USE)
    return [({"pool": str(pool)}, float(held / amount) if amount else 0.0) for pool, amount, held in rows]


async def find(connection: AsyncConnection, pool: BudgetPoolId) -> BudgetLeft | None:
    found = (await connection.execute(select(BUDGET_POOLS).where(BUDGET_POOLS.c.pool == pool))).one_or_none()
    if found is None:
        return None
    sums = select(
        func.coalesce(func.sum(BUDGET_HOLDS.c.reserved), 0), func.coalesce(func.sum(BUDGET_HOLDS.c.committed), 0)
    ).where(BUDGET_HOLDS.c.pool == pool)
    reserved, committed = (await connection.execute(sums)).one()

    def money(minor: Any) -> Money:
        return Money.from_minor(int(minor), found.currency)

    return BudgetLeft(
        pool=pool,
        name=found.name,
        amount=money(found.amount),
        reserved=money(reserved),
        committed=money(committed),
        available=money(found.amount - reserved - committed),
    )
