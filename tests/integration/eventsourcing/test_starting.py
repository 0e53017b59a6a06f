"""Where a reader starts, and what it does about holes that lie far behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.schema import register_reader
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, projecting, published, relaying, until
from tests.integration.eventsourcing.tally import (
    TALLY,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
    tally_projection,
)
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def fill(engine: AsyncEngine, events: int) -> None:
    commands = handler(engine, partitions=3)
    for n in range(events):
        await commands.handle(context(), TALLY, tally_id(n % 10), count())


def at_least(engine: AsyncEngine, statement: str, expected: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return await scalar(engine, statement) >= expected

    return reached


async def test_a_reader_that_starts_now_applies_what_is_published_from_then_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=3)
    engine = await kernel_engine(database, partitions=3)
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: register_reader(c, "tally_totals", (topic,), starts="now", partitions=3))
    async with relaying(engine, kafka_of(kafka), topic):
        await fill(engine, 60)
        await until(at_least(engine, "select position from log", 60))
        for _ in range(2):  # it goes on where it was when it is started again
            async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, partitions=3):
                pass
        await fill(engine, 40)
        async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, partitions=3):
            await until(at_least(engine, "select count(*) from applied", 40), what="40 events applied")
    assert await scalar(engine, "select min(position) from applied") == 61
    assert await scalar(engine, "select count(*) from applied") == 40
    await engine.dispose()


async def test_a_hole_behind_a_long_partition_is_searched_to_its_end_and_then_stops_it(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """The search reads many slices of what is known: they neither reset the hole's clock nor outlast it."""
    source, topic = await new_topic(partitions=3), await new_topic(partitions=3)
    engine = await kernel_engine(database, topics=(topic,), partitions=3)
    await fill(engine, 300)
    async with relaying(engine, kafka_of(kafka), source):
        await until(at_least(engine, "select position from log", 300))
    producer = kafka_of(kafka).producer()
    await producer.start()
    records = await published(kafka_of(kafka), source, 3)
    hurt = partition_of(f"tally-{tally_id(0)}", 3)
    part = [record for partition, record, _ in records if partition == hurt]
    for r in (*part[:-2], part[-1]):
        await producer.send_and_wait(topic, r.value, key=r.key, partition=hurt, headers=list(r.headers))
    await producer.stop()
    options: dict[str, Any] = {"partitions": 3, "max_records": 10, "hole_seconds": 0.6}
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, **options):
        stopped = "select count(*) from checkpoints where stopped like 'hole:%'"
        await until(at_least(engine, stopped, 1), seconds=60, what="the partition stops")
    async with engine.connect() as connection:
        row = (await connection.execute(text("select partition from checkpoints where stopped is not null"))).one()
    assert (row.partition, len(part) > 20) == (hurt, True)
    await engine.dispose()


async def test_a_consumer_that_stopped_without_a_word_is_noticed(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=3)
    engine = await kernel_engine(database, topics=(topic,), partitions=3)
    options: dict[str, Any] = {"partitions": 3, "look_seconds": 0.2}
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, **options) as subscription,
    ):
        await fill(engine, 20)
        await until(at_least(engine, "select count(*) from applied", 20))
        assert subscription.reading.stalled(1.0) is None
        for task in [t for t in asyncio.all_tasks() if "_run_consume_loop" in repr(t.get_coro())]:
            task.cancel()
        await fill(engine, 20)

        async def noticed() -> bool:
            return subscription.reading.stalled(1.0) is not None

        await until(noticed, what="the standstill is noticed")
    assert await scalar(engine, "select count(*) from applied") == 20
    await engine.dispose()
