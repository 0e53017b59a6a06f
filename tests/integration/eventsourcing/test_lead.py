"""The lead: a slow broker does not cost it, a process that cannot publish does not keep it."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing.administration import fork_log, log_status
from shared.eventsourcing.append import Append
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.store import LARGEST_EVENT, EventStore, Metadata
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, published, published_positions, relaying, until
from tests.integration.eventsourcing.tally import (
    NOW,
    SOMEBODY,
    TALLY,
    TYPES,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
)
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def fill(engine: AsyncEngine, events: int) -> None:
    commands = handler(engine)
    for n in range(events):
        await commands.handle(context(), TALLY, tally_id(n % 10), count())


async def published_up_to(engine: AsyncEngine, position: int) -> bool:
    return (await log_status(engine)).published >= position


class SlowProducer(AIOKafkaProducer):
    """A producer whose broker takes its time."""

    async def send(self, *arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(0.05)
        return await super().send(*arguments, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowKafka(Kafka):
    def producer(self) -> AIOKafkaProducer:
        return SlowProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=self.idempotence)


async def test_a_chunk_that_takes_longer_than_the_lease_is_published_by_one_lead(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """Two relays took the lead from each other for ever, each sending the same chunk and moving no checkpoint."""
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 80)
    slow = SlowKafka(**asdict(kafka_of(kafka)))
    async with (
        relaying(engine, slow, topic, owner="a", lease_seconds=1.5),
        relaying(engine, slow, topic, owner="b", lease_seconds=1.5),
    ):
        await until(lambda: published_up_to(engine, 80), what="80 events published")
    assert len(await published_positions(kafka_of(kafka), topic)) == 80
    await engine.dispose()


async def test_a_process_that_cannot_reach_kafka_leaves_the_lead_to_one_that_can(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 10)
    nowhere = Kafka(bootstrap="127.0.0.1:1")
    async with relaying(engine, nowhere, topic, owner="cut off", lease_seconds=30.0) as cut_off:

        async def failed() -> bool:
            return cut_off.last_error is not None

        await until(failed, what="the first relay fails")
        async with relaying(engine, kafka_of(kafka), topic, owner="well", lease_seconds=1.0):
            await until(lambda: published_up_to(engine, 10), seconds=20, what="10 events published")
    await engine.dispose()


async def test_a_fork_under_a_publishing_relay_publishes_all_of_the_new_log_and_loses_nothing(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    async with relaying(engine, kafka_of(kafka), topic):
        writing = asyncio.create_task(fill(engine, 150))
        await until(lambda: published_up_to(engine, 20))
        young = await fork_log(engine, actor=SOMEBODY, reason="a test")
        await writing
        await until(lambda: published_up_to(engine, 150), what="the new log published")
    records = await published(kafka_of(kafka), topic, 12)
    last: dict[int, int] = {}
    for partition, _, e in records:
        if isinstance(e, Envelope) and e.log_id == young and e.position > last.get(partition, 0):
            assert e.previous_position == last.get(partition, 0)
            last[partition] = e.position
    assert {e.position for _, _, e in records if isinstance(e, Envelope) and e.log_id == young} == set(range(1, 151))
    await engine.dispose()


class Long(Event):
    event_type = "trellis.tally.Long.v1"

    text: str


async def test_an_event_that_kafka_would_refuse_is_refused_before_it_is_stored(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """The relay would stand still at it for ever. The largest that is stored is published."""
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    store = EventStore(engine, TYPES)
    metadata = Metadata(occurred_at=NOW, actor=SOMEBODY, command_id=tally_id("c"), correlation_id=tally_id("d"))
    with pytest.raises(Rejected, match="event-is-too-large"):
        await store.prepare([(Long(text="x" * LARGEST_EVENT), metadata)])
    largest = await store.prepare([(Long(text="x" * (LARGEST_EVENT - 20)), metadata)])
    async with engine.connect() as connection:
        await store.append(connection, [Append(stream=f"tally-{tally_id(0)}", expected=0, events=largest)])
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: published_up_to(engine, 1), what="the largest event published")
    async with engine.connect() as connection:
        assert (await connection.execute(text("select error from log"))).scalar_one() is None
    assert await scalar(engine, "select count(*) from events") == 1
    await engine.dispose()
