"""A worker's readers on a real broker: failures, rebalances, holes, emptied topics, rebuilds."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import count as count_up
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from launcher.brokers.broker import Broker
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.eventsourcing.consistency import wait_for
from shared.eventsourcing.errors import NotCaughtUp
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, projecting, published, relaying, until
from tests.integration.eventsourcing.tally import (
    TALLY,
    apply,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
    tally_projection,
)
from tests.servers.databases import Database
from tests.servers.topics import delete

pytestmark = pytest.mark.kafka


async def fill(engine: AsyncEngine, events: int, *, streams: int = 30) -> None:
    commands = handler(engine)
    for n in range(events):
        await commands.handle(context(), TALLY, tally_id(n % streams), count())


def applied(engine: AsyncEngine, expected: int) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return await scalar(engine, "select count(distinct position) from applied") >= expected

    return reached


async def assert_each_once(engine: AsyncEngine, events: int) -> None:
    assert await scalar(engine, "select count(distinct position) from applied") == events
    assert await scalar(engine, "select count(*) from applied") == events
    assert await scalar(engine, "select coalesce(sum(disorder), 0) from tallies") == 0
    assert await scalar(engine, "select sum(total)::bigint from tallies") == events


def failing(projection: Projection, *, every: int) -> Projection:
    """The database goes away in every n-th slice, after the events were applied and before the commit."""
    calls = 0

    async def apply_and_fail(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        nonlocal calls
        calls += 1
        await apply(connection, events)
        if calls % every == 0:
            raise ConnectionResetError("the database went away")

    return replace(projection, apply=apply_and_fail)


async def published_whole(engine: AsyncEngine, kafka: Kafka, topic: str, events: int) -> None:
    async with relaying(engine, kafka, topic):

        async def done() -> bool:
            return await scalar(engine, "select position from log") >= events

        await until(done, what="published")


async def test_what_was_applied_is_not_held_until_a_collection(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """A worker collects seldom, and FastStream's messages live on in the contexts of what was begun beside them."""
    topic = await new_topic(partitions=1)
    engine = await kernel_engine(database, topics=(topic,), partitions=1)
    gc.collect()
    gc.disable()
    try:
        async with (
            relaying(engine, kafka_of(kafka), topic),
            projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, partitions=1),
        ):
            for events in range(1, 9):
                await fill(engine, 1)
                await until(applied(engine, events), what="the event is applied")
            held = [one for one in gc.get_objects() if isinstance(one, ConsumerRecord) and one.topic == topic]
    finally:
        gc.enable()
    assert len(held) <= 1, "of eight, each of a batch of its own"


@pytest.mark.apache
@pytest.mark.parametrize("in_vain", [0, 1])
async def test_kafka_is_told_how_far_a_reader_is(
    database: Database, kafka: Broker, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch, *, in_vain: int
) -> None:
    """As a hint: whoever starts more workers when they fall behind looks at it. Once in vain, it is told again."""
    refused, tell = count_up(), AIOKafkaConsumer.commit

    async def commit(consumer: AIOKafkaConsumer, offsets: Any) -> None:
        if next(refused) < in_vain:
            raise KafkaConnectionError("the coordinator has gone")
        await tell(consumer, offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", commit)
    topic = await new_topic(partitions=1)
    engine = await kernel_engine(database, topics=(topic,), partitions=1)
    await fill(engine, 10)
    await published_whole(engine, kafka_of(kafka), topic, 10)
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, partitions=1) as subscription:
        await until(applied(engine, 10), what="all is applied")

        async def told() -> bool:
            consumer = subscription.consumer
            return consumer is not None and await consumer.committed(TopicPartition(topic, 0)) == 10

        await until(told, what="Kafka knows")


@pytest.mark.parametrize("seek", [True, False])
async def test_a_failed_slice_that_is_not_sought_back_is_lost(
    database: Database, kafka: Broker, new_topic: NewTopic, *, seek: bool
) -> None:
    """Negative control: FastStream swallows the error, and the consumer goes on behind the slice that failed."""
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    await fill(engine, 300)
    await published_whole(engine, kafka_of(kafka), topic, 300)
    projection = failing(tally_projection(topic), every=3)
    options: dict[str, Any] = {"seek_on_failure": seek, "max_records": 10, "hole_seconds": 3600.0}
    async with projecting(engine, kafka_of(kafka), projection, group=topic, **options) as subscription:
        if seek:
            await until(applied(engine, 300), what="300 events applied")
        else:

            async def at_the_end() -> bool:
                consumer = subscription.consumer
                assert consumer is not None
                ends = await consumer.end_offsets(list(consumer.assignment()))
                return bool(ends) and all([await consumer.position(tp) >= end for tp, end in ends.items()])

            await until(at_the_end, what="the consumer has read everything")
    lost = 300 - await scalar(engine, "select count(distinct position) from applied")
    print(f"seek={seek}: {lost} of 300 events lost to failed slices")
    assert lost == 0 if seek else lost > 0
    if seek:
        await assert_each_once(engine, 300)
    await engine.dispose()


@pytest.mark.apache
async def test_workers_that_join_and_leave_apply_every_event_once(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    projection = failing(tally_projection(topic), every=17)
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), projection, group=topic, max_records=20),
    ):
        await fill(engine, 300)
        async with projecting(engine, kafka_of(kafka), projection, group=topic, max_records=20):
            await fill(engine, 300)
        await fill(engine, 100)
        await until(applied(engine, 700), what="700 events applied")
    await assert_each_once(engine, 700)
    await engine.dispose()


@pytest.mark.apache
async def test_a_worker_that_joins_anew_is_not_kept_from_it_by_its_own_commits(
    database: Database, kafka: Broker, new_topic: NewTopic, caplog: pytest.LogCaptureFixture
) -> None:
    """A commit while its member joins is refused, and makes it join again: the group could gather for ever."""
    topic = await new_topic(partitions=12)
    engine, projection = await kernel_engine(database, topics=(topic,)), tally_projection(topic)
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), projection, group=topic) as one,
        projecting(engine, kafka_of(kafka), projection, group=topic) as other,
    ):

        async def both_read() -> bool:
            return all(each.consumer is not None and each.consumer.assignment() for each in (one, other))

        await until(both_read, what="both have partitions")

        async def joins() -> bool:
            return member._member.gathering

        consumer, member = cast("Any", one.consumer), cast("Any", one)
        consumer._coordinator.reset_generation()  # as a commit does that comes a moment too late
        await until(joins, what="the worker joins again")
        member._reached = dict.fromkeys(consumer.assignment(), 0)
        await fill(engine, 60)
        await until(applied(engine, 60), what="60 events applied")
    await assert_each_once(engine, 60)
    assert [record.message for record in caplog.records if "OffsetCommit failed" in record.message] == []
    await engine.dispose()


async def _republish(kafka: Kafka, source: str, target: str, *, lose: Callable[[int], bool]) -> list[Any]:
    """Copy a topic's records into another, without some: what a relay leaves that failed in the middle."""
    lost = []
    producer = kafka.producer()
    await producer.start()
    for n, (partition, r, _) in enumerate(await published(kafka, source, 12)):
        if lose(n):
            lost.append((partition, r))
            continue
        await producer.send_and_wait(
            target, r.value, key=r.key, partition=partition, headers=list(r.headers), timestamp_ms=r.timestamp
        )
    await producer.stop()
    return lost


async def test_a_hole_that_does_not_heal_stops_its_partition_loudly_and_no_other(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    source, topic = await new_topic(partitions=12), await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    await fill(engine, 120)
    await published_whole(engine, kafka_of(kafka), source, 120)
    lost = await _republish(kafka_of(kafka), source, topic, lose=lambda n: n == 5)
    partition, _ = lost[0]
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, hole_seconds=0.3):

        async def stopped() -> bool:
            return await scalar(engine, "select count(*) from checkpoints where stopped like 'hole:%'") == 1

        await until(stopped, what="the partition stops")
    assert await scalar(engine, "select partition from checkpoints where stopped is not null") == partition
    behind = await scalar(engine, "select count(*) from applied")
    assert 0 < behind < 119
    await engine.dispose()


async def test_a_hole_heals_when_the_missing_record_comes_later(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    source, topic = await new_topic(partitions=12), await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    await fill(engine, 120)
    await published_whole(engine, kafka_of(kafka), source, 120)
    await _republish(kafka_of(kafka), source, topic, lose=lambda n: n % 7 == 3)
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic, hole_seconds=3.0):
        await _republish(kafka_of(kafka), source, topic, lose=lambda _: False)
        await until(applied(engine, 120), what="120 events applied")
    await assert_each_once(engine, 120)
    await engine.dispose()


async def test_a_database_whose_checkpoints_are_older_than_kafkas_offsets_misses_nothing(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """The read side's database comes back from a backup; Kafka's committed offsets do not."""
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    await fill(engine, 100)
    await published_whole(engine, kafka_of(kafka), topic, 100)
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic):
        await until(applied(engine, 100))
    async with engine.begin() as connection:
        await connection.execute(text("update checkpoints set position = 0, next_offset = 0, log_id = null"))
        await connection.execute(text("truncate tallies, applied"))
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic):
        await until(applied(engine, 100), what="read again from the checkpoints")
    await assert_each_once(engine, 100)
    await engine.dispose()


async def test_offsets_beyond_the_end_of_a_refilled_topic_lead_back_to_its_beginning(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    await fill(engine, 60)
    async with engine.begin() as connection:  # as left by a longer topic that was emptied
        await connection.execute(text("update checkpoints set next_offset = 500"))
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic),
    ):
        await until(applied(engine, 60))
    await assert_each_once(engine, 60)
    await engine.dispose()


@pytest.mark.apache
async def test_a_topic_that_is_deleted_and_created_again_under_a_reader_is_read_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """As where a cluster is lost and an empty one takes its place: for a while there is no partition to be given."""
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    async with projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic) as subscription:

        async def assigned(count: int) -> bool:
            return subscription.consumer is not None and len(subscription.consumer.assignment()) == count

        await until(partial(assigned, 12), what="partitions given")
        await delete(kafka.bootstrap, [topic])
        await until(partial(assigned, 0), what="partitions taken")
        await create_topics(kafka.bootstrap, [Topic(topic, 12)])
        await fill(engine, 60)
        async with relaying(engine, kafka_of(kafka), topic):
            await until(applied(engine, 60), what="read on")
    await assert_each_once(engine, 60)
    await engine.dispose()


async def test_a_query_waits_until_its_read_model_has_seen_the_command(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    commands = handler(engine)
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), tally_projection(topic), group=topic),
    ):
        for n in range(20):
            outcome = await commands.handle(context(), TALLY, tally_id("a"), count())
            await wait_for(engine, "tally_totals", topic, {outcome.partition: outcome.position}, seconds=20)
            assert await scalar(engine, "select total from tallies") == n + 1
    with pytest.raises(NotCaughtUp):
        await wait_for(engine, "tally_totals", topic, {0: 10_000}, seconds=0.1)
    await engine.dispose()
