"""Before a relay publishes: each partition's last record against the store. Behind is refilled, different is a fork."""

import asyncio
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import driver
from shared.eventsourcing.errors import LogForked
from shared.eventsourcing.lease import Lead, Link
from shared.eventsourcing.partitioning import partition_of
from shared.schemas.envelope import LogMark, MalformedEnvelope, from_headers

_READ_SECONDS: Final = 10.0
_IN_FLIGHT: Final = 4_000
"""More records of one partition than a relay sends before it asks for their acknowledgement."""
_STORED: Final = "select position, stream, event_id from events where position = any($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Published:
    """What a partition ends with: the log, position, event and offset of its last record that is an envelope."""

    log_id: UUID
    position: int
    event_id: UUID | None
    offset: int


async def last_records(consumer: AIOKafkaConsumer, topic: str, partitions: int) -> dict[int, Published]:
    """The last record of each partition that has one; records that are no envelope are passed over, backwards.

    The end that a broker reports is a lower bound: the embedded one reports the base offset of the last batch plus 1.
    So what is read from there on is read to its end.
    """
    everything = [TopicPartition(topic, p) for p in range(partitions)]
    consumer.assign(everything)
    first, end = await consumer.beginning_offsets(everything), await consumer.end_offsets(everything)
    found: dict[int, Published] = {}
    passed: set[TopicPartition] = set()
    wanted = {tp: end[tp] - 1 for tp in everything if end[tp] > first[tp]}
    while wanted:
        slices = await _slices_from(consumer, wanted)
        records = {tp: part[0] if tp in passed else part[-1] for tp, part in slices.items()}
        wanted.clear()
        for tp, record in records.items():
            published = _published(record)
            if published is not None:
                found[tp.partition] = published
            elif record.offset > first[tp]:
                wanted[tp] = record.offset - 1
                passed.add(tp)
    return found


async def _slices_from(
    consumer: AIOKafkaConsumer, wanted: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
    """What one fetch gives of each partition from this offset on: to the end of a batch."""
    consumer.assign(list(wanted))
    for tp, offset in wanted.items():
        consumer.seek(tp, offset)
    slices: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = {}
    async with asyncio.timeout(_READ_SECONDS):
        while len(slices) < len(wanted):
            for tp, part in (await consumer.getmany(timeout_ms=200)).items():
                slices.setdefault(tp, []).extend(part)
    return slices


async def without_beginning(consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> set[int]:
    """Those of the partitions in which no chain begins, though all that they hold was read.

    What was in flight when a topic was emptied may be all that it holds: by its last record nothing is missing.
    """
    left = {TopicPartition(topic, p): 0 for p in partitions}
    if not left:
        return set()
    consumer.assign(list(left))
    await consumer.seek_to_beginning(*left)
    missing: set[int] = set()
    async with asyncio.timeout(_READ_SECONDS):
        ends = await consumer.end_offsets(list(left))
        while left:
            batches = await consumer.getmany(*left, timeout_ms=200)
            for tp in list(left):
                part = batches.get(tp, [])
                left[tp] += len(part)
                if left[tp] > _IN_FLIGHT or any(_begins(record) for record in part):
                    del left[tp]
                elif not part and await consumer.position(tp) >= ends[tp]:
                    missing.add(tp.partition)
                    del left[tp]
    return missing


def _begins(record: ConsumerRecord[bytes, bytes]) -> bool:
    try:
        envelope = from_headers(record.headers)
    except MalformedEnvelope:
        return False
    return not isinstance(envelope, LogMark) and envelope.previous_position == 0


def _published(record: ConsumerRecord[bytes, bytes]) -> Published | None:
    try:
        envelope = from_headers(record.headers)
    except MalformedEnvelope:
        return None
    if isinstance(envelope, LogMark):
        return Published(envelope.log_id, envelope.previous_position, envelope.previous_id, record.offset)
    return Published(envelope.log_id, envelope.position, envelope.id, record.offset)


async def reconcile(
    engine: AsyncEngine, topic: str, lead: Lead, last: Mapping[int, Published], *, emptied: Container[int] = ()
) -> tuple[int, dict[int, Link]]:
    """From where to publish: the position to read the store from, and each partition's last record that is certain.

    Certain is what the checkpoint says, or less where Kafka holds less: a relay that failed may have left a hole
    before the last record, so that Kafka's end alone proves nothing. Nothing is certain in an emptied partition.

    Raises:
        LogForked: a partition ends with what the store does not hold at that position, or with a younger log.
    """
    async with engine.connect() as connection:
        rows = await (await driver(connection)).fetch(_STORED, [p.position for p in last.values() if p.position])
    stored = {row["position"]: row for row in rows}
    certain = {
        p: _certain(topic, p, lead, last.get(p), stored.get(last[p].position) if p in last else None)
        for p in range(lead.partitions)
    }
    certain |= {p: Link(0, None) for p in certain if p in emptied}
    behind = [link.position for p, link in certain.items() if link.position < lead.chain[p].position]
    return min([lead.position, *behind]), certain


def _certain(topic: str, partition: int, lead: Lead, published: Published | None, stored: Any) -> Link:
    """What is certainly published in this partition."""
    if published is None or published.log_id < lead.log_id:
        return Link(0, None)
    here = stored is not None and partition_of(stored["stream"], lead.partitions) == partition
    same = published.position == 0 or (here and stored is not None and stored["event_id"] == published.event_id)
    if published.log_id > lead.log_id or not same:
        raise LogForked(
            topic,
            partition=partition,
            position=published.position,
            published=published.event_id,
            stored=stored["event_id"] if stored is not None else None,
        )
    known = lead.chain[partition]
    return known if known.position <= published.position else Link(published.position, published.event_id)
