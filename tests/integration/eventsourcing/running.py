"""Runs the kernel's moving parts in a test: relays, readers, and whole logs read back from Kafka."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.subscription import Subscription
from shared.schemas.envelope import Envelope, LogMark, MalformedEnvelope, from_headers
from tests.integration.eventsourcing.tally import TYPES


def kafka_of(broker: Broker) -> Kafka:
    return Kafka(
        bootstrap=broker.bootstrap,
        idempotence=broker.idempotent_producer,
        assignment="group" if broker.consumer_groups else "fixed",
    )


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 30, what: str = "condition") -> None:
    """Wait for it; a test that waits in vain fails and says for what."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def relaying(
    engine: AsyncEngine, kafka: Kafka, topic: str, *, owner: str = "relay", **options: Any
) -> AsyncGenerator[Relay]:
    """A relay that runs as long as the block."""
    relay = Relay(engine, kafka, topic=topic, source="/trellis/tally", owner=owner, **options)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def projecting(
    engine: AsyncEngine, kafka: Kafka, projection: Projection, *, group: str, partitions: int = 12, **options: Any
) -> AsyncGenerator[Subscription]:
    """A worker's subscription that runs as long as the block. `reader` options take guards away."""
    broker = kafka.broker()
    reader = Reader(engine, TYPES, Projector(projection), **options.pop("reader", {}))
    subscription = Subscription(kafka, broker, reader, group=group, partitions=partitions, **options)
    await broker.connect()
    await subscription.start()
    try:
        yield subscription
    finally:
        await subscription.stop()
        await broker.stop()


async def published(kafka: Kafka, topic: str, partitions: int) -> list[tuple[int, Any, Envelope | LogMark | None]]:
    """Every record of a topic as it stands: partition, record, envelope (None: it is none)."""
    consumer = kafka.consumer()
    await consumer.start()
    try:
        everything = [TopicPartition(topic, p) for p in range(partitions)]
        consumer.assign(everything)
        ends = await consumer.end_offsets(everything)
        await consumer.seek_to_beginning(*everything)
        found: list[tuple[int, Any, Envelope | LogMark | None]] = []
        more = True
        while more or any([await consumer.position(tp) < end for tp, end in ends.items()]):
            batch = await consumer.getmany(timeout_ms=200)
            more = bool(batch)  # the end that the embedded broker reports is that of the batch before the last
            for tp, part in batch.items():
                found += [(tp.partition, record, _envelope(record.headers)) for record in part]
        return found
    finally:
        await consumer.stop()


def _envelope(headers: Sequence[tuple[str, bytes]]) -> Envelope | LogMark | None:
    try:
        return from_headers(headers)
    except MalformedEnvelope:
        return None


def positions(records: Sequence[tuple[int, Any, Envelope | LogMark | None]]) -> list[int]:
    """The positions of the events among the records, in the order read."""
    return [envelope.position for _, _, envelope in records if isinstance(envelope, Envelope)]


async def published_positions(kafka: Kafka, topic: str, partitions: int = 12) -> list[int]:
    return positions(await published(kafka, topic, partitions))
