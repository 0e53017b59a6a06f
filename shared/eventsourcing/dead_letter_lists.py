"""What is parked in a service and what was done about it, as an operator looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.dead_letters import COLUMNS, ParkedRecord, find, of_stream, parked_records

_STREAMS: Final = text(
    f"select * from (select distinct on (reader, coalesce(stream, id::text)) {COLUMNS}, "  # noqa: S608 - a constant
    "count(*) over (partition by reader, coalesce(stream, id::text)) as parked from dead_letters "
    "where discarded_at is null and (cast(:reader as text) is null or reader = :reader) "
    "and (cast(:stream as text) is null or stream = :stream) "
    "order by reader, coalesce(stream, id::text), culprit desc, id) heads where id > :after order by id limit :limit"
)
_ACTS: Final = text(
    "select id, at, actor, reader, stream, dead_letter, act, reason, outcome from dead_letter_acts "
    "where id < :before order by id desc limit :limit"
)


@dataclass(frozen=True, slots=True)
class ParkedStream:
    """A reader's parked stream, or record without one: its culprit, and how many records are parked with it.

    Where a culprit was discarded, the first of those that stood behind it is shown.
    """

    record: ParkedRecord
    parked: int


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator did: `outcome` says what it led to."""

    id: int
    at: datetime
    actor: UUID
    reader: str
    stream: str | None
    dead_letter: int
    act: str
    reason: str | None
    outcome: str


async def parked_streams(
    engine: AsyncEngine, *, reader: str | None, stream: str | None, after: int, limit: int
) -> list[ParkedStream]:
    """The next parked streams by their shown record's id."""
    asked = {"reader": reader, "stream": stream, "after": after, "limit": limit}
    async with engine.connect() as connection:
        rows = (await connection.execute(_STREAMS, asked)).all()
    return [ParkedStream(record, row.parked) for record, row in zip(parked_records(rows), rows, strict=True)]


async def parked_record(engine: AsyncEngine, identity: int) -> tuple[ParkedRecord, Sequence[ParkedRecord]] | None:
    """A parked record with all parked records of its stream, in order."""
    async with engine.connect() as connection:
        record = await find(connection, identity)
        if record is None:
            return None
        if record.stream is None:
            return record, [record]
        return record, await of_stream(connection, record.reader, record.stream)


async def acts(engine: AsyncEngine, *, before: int, limit: int) -> list[Act]:
    """What was done, the latest first."""
    async with engine.connect() as connection:
        return [Act(*row) for row in await connection.execute(_ACTS, {"before": before, "limit": limit})]
