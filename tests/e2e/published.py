"""What Kafka holds of a service's log, followed by the chain rule as the documentation states it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from shared.eventsourcing.kafka import partitions_of
from tests.e2e.stored import EventLog, StoredEvent

_MARK: Final = b"trellis.log.LogMark.v1"
_QUIET_POLLS: Final = 3


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """A record of an event."""

    partition: int
    position: int
    previous: int
    event_id: str
    stream: str
    version: int
    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Followed:
    """A topic as a subscriber sees it: each event once, and the records that came again or were passed over."""

    events: Sequence[PublishedEvent]
    repeated: int


async def records_of(bootstrap: str, topic: str) -> Mapping[int, Sequence[Any]]:
    """Every record by partition, in offset order. An end that a broker reports is a lower bound: read on to silence."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = await partitions_of(consumer, topic)
        assert partitions, f"there is no topic {topic}"
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: dict[int, list[Any]] = {tp.partition: [] for tp in partitions}
        ends = await consumer.end_offsets(partitions)
        silent = 0
        while silent < _QUIET_POLLS or not all([await consumer.position(tp) >= end for tp, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=300)
            silent = 0 if batches else silent + 1
            for tp, batch in batches.items():
                found[tp.partition] += batch
        return found
    finally:
        await consumer.stop()


def follow(records: Mapping[int, Sequence[Any]], *, log_id: str | None = None) -> Followed:
    """The chain rule: take what continues the chain; skip what was taken; pass over what comes too early.

    `log_id`: where a topic holds the records of an older log, too, the one to follow.
    """
    taken: list[PublishedEvent] = []
    repeated = 0
    for partition, part in records.items():
        seen: dict[int, PublishedEvent] = {}
        last = 0
        for record in part:
            headers = dict(record.headers)
            if headers["ce_type"] == _MARK or log_id not in (None, headers.get("ce_logid", b"").decode()):
                continue
            event = _published(partition, headers, record.value)
            assert seen.setdefault(event.position, event) == event, "a re-sent record differs from the first"
            if event.position > last and event.previous == last:
                taken.append(event)
                last = event.position
            else:
                repeated += 1
    return Followed(sorted(taken, key=lambda event: event.position), repeated)


def _published(partition: int, headers: Mapping[str, bytes], value: bytes) -> PublishedEvent:
    return PublishedEvent(
        partition,
        int(headers["ce_position"]),
        int(headers["ce_previousposition"]),
        headers["ce_id"].decode(),
        headers["ce_subject"].decode(),
        int(headers["ce_sequence"]),
        headers["ce_type"].decode(),
        value.decode(),
    )


def missing(log: EventLog, followed: Followed) -> list[StoredEvent]:
    """The stored events that a subscriber does not see."""
    seen = {event.position for event in followed.events}
    return [event for event in log.events if event.position not in seen]


def kafka_holds(log: EventLog, followed: Followed) -> None:
    """Every stored event is in Kafka once, with the very bytes, and nothing else is; a stream keeps to a partition."""
    stored = [(e.position, e.event_id, e.stream, e.version, e.type, e.data) for e in log.events]
    published = [(e.position, e.event_id, e.stream, e.version, e.type, e.data) for e in followed.events]
    lost, invented = set(stored) - set(published), set(published) - set(stored)
    assert not lost, f"Kafka holds {len(lost)} of {len(stored)} events of {log.service} not: {sorted(lost)[:3]}"
    assert not invented, f"Kafka holds what {log.service} does not know: {sorted(invented)[:3]}"
    assert published == stored
    places = {(event.stream, event.partition) for event in followed.events}
    assert len(places) == len({stream for stream, _ in places})
