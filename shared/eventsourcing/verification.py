"""Verification: what Kafka holds against what the event store holds, record by record, up to a horizon."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import driver
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.stored_envelope import envelope_of
from shared.eventsourcing.topic_scan import TopicScan
from shared.eventsourcing.verified_partition import Difference, Expected, VerifiedPartition

PUBLISH_SECONDS: Final = 10.0
"""How long the relay is given to publish what is stored already."""
_CHUNK: Final = 2_000
_HEADS: Final = 5_000
_HORIZON_SECONDS: Final = 10.0

_LOG: Final = "select log_id, partitions, position, state from log"
_BETWEEN: Final = "select count(*) from events where position > $1 and position <= $2"
_READ: Final = """select position, stream, version, event_id, type, data, metadata, recorded_at
                    from events where position > $1 and position <= $2 order by position limit $3"""
_GAP: Final = """select position, stream, version from events e
                  where position > $1 and position <= $2
                    and (version < 1 or version > 1 and not exists (
                      select from events p
                       where p.stream = e.stream and p.version = e.version - 1 and p.position < e.position))
                  order by position limit 1"""
_STREAMS: Final = """select s.stream, s.version,
                            (select coalesce(max(e.version), 0) from events e where e.stream = s.stream) as last
                       from streams s where s.stream > $1 order by s.stream limit $2"""

Progress: TypeAlias = Callable[[int, int], None]
"""Told the position that is verified and the one that is verified up to."""


class StoreSilent(Exception):  # noqa: N818 - named for the fact
    """The event store cannot be read now; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was compared. `unpublished` events are stored and the relay has yet to publish them: no difference."""

    topic: str
    log_id: UUID
    horizon: int
    events: int
    streams: int
    unpublished: int
    relay_state: str
    partitions: Sequence[VerifiedPartition]
    differences: Sequence[Difference]

    @property
    def sound(self) -> bool:
        return not self.differences

    @property
    def complete(self) -> bool:
        """Whether everything is in Kafka that was stored when it began; a relay that works is given the time."""
        return self.sound and not self.unpublished


@dataclass(frozen=True, slots=True)
class _Bound:
    log_id: UUID
    partitions: int
    horizon: int
    unpublished: int
    state: str


def _unobserved(_position: int, _horizon: int) -> None: ...


async def verify(
    engine: AsyncEngine,
    kafka: Kafka,
    *,
    topic: str,
    source: str,
    progress: Progress = _unobserved,
    publish_seconds: float = PUBLISH_SECONDS,
) -> Verification:
    """Compare every event up to the store's horizon, read first, with the topic; events may be written meanwhile.

    A consumer's rule decides what of the topic counts. Data, key and envelope must be equal to the byte, each stream's
    versions contiguous. `differences` are the first of each partition and of the store, by position.

    Raises:
        StoreSilent: the database does not answer.
        KafkaSilent: Kafka does not, or has no such topic.
        WrongPartitionCount: the topic has another number of partitions than the log.
    """
    try:
        return await _verified(
            engine, kafka, topic=topic, source=source, progress=progress, publish_seconds=publish_seconds
        )
    except (SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        raise StoreSilent(f"the event store does not answer: {type(error).__name__}: {error}") from error


async def _verified(
    engine: AsyncEngine, kafka: Kafka, *, topic: str, source: str, progress: Progress, publish_seconds: float
) -> Verification:
    bound = await _bound(engine, publish_seconds)
    partitions = [VerifiedPartition(p, bound.log_id) for p in range(bound.partitions)]
    gap: Difference | None = None
    previous, events = dict.fromkeys(range(bound.partitions), 0), 0
    async with TopicScan(kafka, topic, partitions=bound.partitions) as scan:
        async for rows, chunk_gap in _chunks(engine, bound.horizon):
            gap = gap or chunk_gap
            for row in rows:
                p = partition_of(row["stream"], bound.partitions)
                envelope = envelope_of(row, source=source, log_id=bound.log_id, previous_position=previous[p])
                await partitions[p].compare(Expected(envelope, row["data"].encode()), scan)
                previous[p] = row["position"]
            events += len(rows)
            progress(rows[-1]["position"], bound.horizon)
        for partition in partitions:
            await partition.compare_end(scan, horizon=bound.horizon)
    streams, head = await _heads(engine)
    found = [difference for difference in (gap, head, *(p.difference for p in partitions)) if difference]
    return Verification(
        topic=topic,
        log_id=bound.log_id,
        horizon=bound.horizon,
        events=events,
        streams=streams,
        unpublished=bound.unpublished,
        relay_state=bound.state,
        partitions=partitions,
        differences=sorted(found, key=lambda difference: difference.position),
    )


async def _bound(engine: AsyncEngine, publish_seconds: float) -> _Bound:
    """The store's horizon, or what is published of it once the relay had the time to."""
    async with engine.connect() as connection:
        raw = await driver(connection)
        horizon = await _horizon(raw)
        deadline = time.monotonic() + publish_seconds
        log = await raw.fetchrow(_LOG)
        while log["position"] < horizon and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            log = await raw.fetchrow(_LOG)
        end = min(horizon, log["position"])
        unpublished = await raw.fetchval(_BETWEEN, end, horizon)
    return _Bound(log["log_id"], log["partitions"], end, unpublished, log["state"])


async def _horizon(raw: Any) -> int:
    deadline = time.monotonic() + _HORIZON_SECONDS
    while True:
        try:
            return await raw.fetchval("select horizon()")
        except asyncpg.LockNotAvailableError:  # an append is long; those that wait behind us go first
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


async def _chunks(engine: AsyncEngine, horizon: int) -> AsyncGenerator[tuple[Sequence[Any], Difference | None]]:
    """The stored events in position order, a chunk at a time, with the first gap in a stream's versions in it."""
    position = 0
    while True:
        async with engine.connect() as connection:
            raw = await driver(connection)
            rows = await raw.fetch(_READ, position, horizon, _CHUNK)
            gap = await raw.fetchrow(_GAP, position, rows[-1]["position"]) if rows else None
        if not rows:
            return
        position = rows[-1]["position"]
        yield (
            rows,
            gap
            and Difference(
                kind="versions",
                what=f"version {gap['version']} of its stream follows no version {gap['version'] - 1}",
                position=gap["position"],
                stream=gap["stream"],
            ),
        )


async def _heads(engine: AsyncEngine) -> tuple[int, Difference | None]:
    """How many streams there are, and the first whose head is not its last event's version."""
    streams, after = 0, ""
    while True:
        async with engine.connect() as connection:
            rows = await (await driver(connection)).fetch(_STREAMS, after, _HEADS)
        for row in rows:
            if row["version"] != row["last"]:
                what = f"its head says version {row['version']}, its last event is version {row['last']}"
                return streams, Difference(kind="versions", what=what, position=0, stream=row["stream"])
        streams += len(rows)
        if len(rows) < _HEADS:
            return streams, None
        after = rows[-1]["stream"]
