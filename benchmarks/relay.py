"""How fast a relay publishes a backlog, beside a bare idempotent producer that sends the same records."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from aiokafka import TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.goal_topic import SOURCE, publish, stored_goals
from benchmarks.measuring import Contender, compared, take_turns
from benchmarks.question import Answer, Asked, Question
from benchmarks.servers import Servers
from shared.eventsourcing.database import driver
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.stored_envelope import envelope_of
from shared.runtime.collection import collect_seldom
from shared.schemas.envelope import to_headers
from shared.schemas.partitions import PARTITIONS

_UNIT: Final = "events/s"
_READ: Final = (
    "select position, stream, version, event_id, type, data, metadata, recorded_at from events order by position"
)
_AT_FIRST: Final = (
    "update log set position = 0, expires_at = '-infinity'",
    "update chain set position = 0, event_id = null",
)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A record, ready to be sent."""

    partition: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


async def answered(asked: Asked) -> Answer:
    """A backlog of goals' events, each time to a new topic of twelve partitions."""
    events = asked.size(500_000)
    async with stored_goals(asked.servers, events) as engine:
        records = await _prepared(engine)
        collect_seldom()
        contenders = [
            Contender("trellis, the relay", _UNIT, partial(_relayed, asked.servers, engine, events)),
            Contender("aiokafka, send()", _UNIT, partial(_sent, asked.servers, records)),
            Contender("aiokafka, send_batch()", _UNIT, partial(_sent_in_batches, asked.servers, records)),
        ]
        ours, bare, batches = await take_turns(contenders, progress=asked.progress, what="relay")
    comparisons = [
        compared("a backlog published, beside a bare producer", ours, bare, goal=0.6),
        compared("the same, beside one that fills its batches itself", ours, batches),
    ]
    return Answer([ours, bare, batches], comparisons, sizes={"events": events, "partitions": PARTITIONS})


async def _relayed(servers: Servers, engine: AsyncEngine, events: int) -> float:
    topic = await _empty_topic(servers)
    async with engine.begin() as connection:
        for statement in _AT_FIRST:
            await connection.execute(text(statement))
    began = time.monotonic()
    await publish(engine, servers.kafka, topic, events)
    rate = events / (time.monotonic() - began)
    await _check(servers, topic, events)
    return rate


async def _sent(servers: Servers, records: Sequence[_Prepared]) -> float:
    topic = await _empty_topic(servers)
    began = time.monotonic()
    producer = servers.kafka.producer()
    await producer.start()
    futures = [
        await producer.send(
            topic,
            record.value,
            key=record.key,
            partition=record.partition,
            timestamp_ms=record.timestamp_ms,
            headers=record.headers,
        )
        for record in records
    ]
    await asyncio.gather(*futures)
    rate = len(records) / (time.monotonic() - began)
    await producer.stop()
    await _check(servers, topic, len(records))
    return rate


async def _sent_in_batches(servers: Servers, records: Sequence[_Prepared]) -> float:
    topic = await _empty_topic(servers)
    began = time.monotonic()
    producer: Any = servers.kafka.producer()
    await producer.start()
    open_batches = {partition: producer.create_batch() for partition in range(PARTITIONS)}
    futures: list[asyncio.Future[Any]] = []
    for record in records:
        told = {"key": record.key, "value": record.value, "headers": record.headers, "timestamp": record.timestamp_ms}
        if open_batches[record.partition].append(**told) is None:
            full = open_batches[record.partition]
            futures.append(await producer.send_batch(full, topic, partition=record.partition))
            open_batches[record.partition] = producer.create_batch()
            open_batches[record.partition].append(**told)
    futures += [await producer.send_batch(batch, topic, partition=p) for p, batch in open_batches.items()]
    await asyncio.gather(*futures)
    rate = len(records) / (time.monotonic() - began)
    await producer.stop()
    await _check(servers, topic, len(records))
    return rate


async def _prepared(engine: AsyncEngine) -> list[_Prepared]:
    """The records that the relay will send, to the byte: the bare producers only have to hand them over."""
    last = dict.fromkeys(range(PARTITIONS), 0)
    async with engine.connect() as connection:
        raw = await driver(connection)
        log_id = UUID(str(await raw.fetchval("select log_id from log")))
        rows = await raw.fetch(_READ)
    records: list[_Prepared] = []
    for row in rows:
        stream, data = row["stream"], row["data"]
        partition = partition_of(stream, PARTITIONS)
        envelope = envelope_of(row, source=SOURCE, log_id=log_id, previous_position=last[partition])
        last[partition] = row["position"]
        stored_ms = int(row["recorded_at"].timestamp() * 1000)
        records.append(_Prepared(partition, stream.encode(), data.encode(), to_headers(envelope), stored_ms))
    return records


async def _empty_topic(servers: Servers) -> str:
    """A new topic whose partitions all have leaders: whoever is first would else wait for them."""
    topic = await servers.topic()
    await _check(servers, topic, 0)
    return topic


async def _check(servers: Servers, topic: str, events: int) -> None:
    """Whoever sent them: every record is in the topic, once."""
    consumer = servers.kafka.consumer()
    await consumer.start()
    ends = await consumer.end_offsets([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
    await consumer.stop()
    if sum(ends.values()) != events:
        raise RuntimeError(f"{topic} holds {sum(ends.values())} records, not {events}")


QUESTION: Final = Question("relay", "how many events a second a relay publishes from a backlog", answered)
