"""Which review cycles are there, open or closed, and under which policy?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, Table, Text, Uuid, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import ReviewCycleId
from shared.schemas.reviews import TOPIC, CyclePolicy, ReviewCycleClosed, ReviewCycleOpened

CYCLES: Final = Table(
    "cycles",
    MetaData(),
    Column("cycle", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("policy", JSONB, nullable=False),
    Column("population", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A cycle as it stands; `population` is the number of people that it was opened over."""

    cycle: ReviewCycleId
    name: str
    starts_on: date
    ends_on: date
    policy: CyclePolicy
    population: int
    state: str
    version: int
    opened_at: datetime
    closed_at: datetime | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    await change_rows(connection, CYCLES, events, _change)


def _change(recorded: Recorded) -> Row:
    at = recorded.envelope.time
    match recorded.event:
        case ReviewCycleOpened() as event:
            opened = event.model_dump(include={"name", "starts_on", "ends_on", "population"})
            policy = event.policy.model_dump(mode="json")
            return {**opened, "policy": policy, "state": "open", "opened_at": at}
        case ReviewCycleClosed():
            return {"state": "closed", "closed_at": at}
        case _:
            return {}


async def find(connection: AsyncConnection, cycle: ReviewCycleId) -> Cycle | None:
    row = (await connection.execute(select(CYCLES).where(CYCLES.c.cycle == cycle))).mappings().one_or_none()
    return None if row is None else _cycle(dict(row))


async def newest(connection: AsyncConnection, *, after: tuple[datetime, UUID] | None = None, limit: int) -> list[Cycle]:
    """The cycles, the latest opened first; `after` is the moment of opening and the id of the last one before."""
    query = select(CYCLES).order_by(CYCLES.c.opened_at.desc(), CYCLES.c.cycle.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(CYCLES.c.opened_at, CYCLES.c.cycle) < after)
    return [_cycle(dict(row)) for row in (await connection.execute(query)).mappings()]


def _cycle(row: dict[str, Any]) -> Cycle:
    policy = CyclePolicy.model_validate(row.pop("policy"))
    return Cycle(**row, policy=policy)


PROJECTION: Final = Projection(name="cycles", topics=(TOPIC,), tables=(CYCLES,), apply=apply)
