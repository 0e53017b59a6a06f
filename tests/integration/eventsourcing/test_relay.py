"""Publishing: nothing is lost, whatever commits late, dies, comes back or was emptied."""

import asyncio
import random

import asyncpg
import pytest
from sqlalchemy import text

from launcher.brokers.broker import Broker
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.eventsourcing.administration import fork_log, log_status
from shared.eventsourcing.database import driver
from shared.eventsourcing.lease import LeadLost, Lease
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.reconciliation import last_records
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, LogMark
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, published, published_positions, relaying, until
from tests.integration.eventsourcing.tally import (
    SOMEBODY,
    TALLY,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
)
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def fill(engine: object, events: int, *, streams: int = 40) -> None:
    commands = handler(engine)  # pyright: ignore[reportArgumentType]
    for n in range(events):
        await commands.handle(context(), TALLY, tally_id(n % streams), count())


async def test_the_log_reaches_kafka_whole_in_order_and_chained(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 200)
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: _published_up_to(engine, 200), what="200 events published")
    records = await published(kafka_of(kafka), topic, 12)
    log_id = (await log_status(engine)).log_id
    assert sorted(e.position for _, _, e in records if isinstance(e, Envelope)) == list(range(1, 201))
    last: dict[int, int] = {}
    for partition, record, envelope in records:
        assert isinstance(envelope, Envelope)
        assert judge(log_id, last.get(partition, 0), envelope) is Link.NEXT
        assert partition == partition_of(envelope.subject, 12)
        assert record.key == envelope.subject.encode()
        assert record.value == b'{"step":1}'
        last[partition] = envelope.position
    await engine.dispose()


async def _published_up_to(engine: object, position: int) -> bool:
    return (await log_status(engine)).published >= position  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("barrier", [True, False])
async def test_a_relay_without_the_barrier_loses_events_of_concurrent_writers(
    database: Database, *, barrier: bool
) -> None:
    """Negative control: positions become visible out of order; a reader of `position > last` skips the late ones."""
    engine = await kernel_engine(database)
    seen: set[int] = set()
    done = asyncio.Event()

    async def writer(seed: int) -> None:
        rnd = random.Random(seed)
        connection = await asyncpg.connect(database.dsn)
        for n in range(60):
            async with connection.transaction():
                await connection.execute(
                    "insert into events (stream, version, event_id, type, data, metadata) "
                    "values ($1, 1, gen_random_uuid(), 't', '{}', '{}')",
                    f"tally-{seed}-{n}",
                )
                await asyncio.sleep(rnd.random() * 0.004)
        await connection.close()

    async def reader() -> None:
        last = 0
        while True:
            finished = done.is_set()
            async with engine.connect() as connection:
                raw = await driver(connection)
                try:
                    horizon = await raw.fetchval(
                        "select horizon()" if barrier else "select coalesce(max(position), 0) from events"
                    )
                except asyncpg.LockNotAvailableError:
                    continue
                rows = await raw.fetch(
                    "select position from events where position > $1 and position <= $2", last, horizon
                )
            seen.update(row["position"] for row in rows)
            last = max(last, horizon)
            if finished and not rows:
                return
            await asyncio.sleep(0.002)

    reading = asyncio.create_task(reader())
    await asyncio.gather(*(writer(seed) for seed in range(12)))
    done.set()
    await reading
    lost = await scalar(engine, "select count(*) from events") - len(seen)
    print(f"barrier={barrier}: {lost} of 720 events lost")
    assert lost == 0 if barrier else lost > 0
    await engine.dispose()


async def test_a_relay_that_dies_after_sending_repeats_byte_equal_records(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 50)
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: _published_up_to(engine, 50))
    async with engine.begin() as connection:  # as if it had died before its checkpoint moved
        await connection.execute(text("update log set position = 20"))
        await connection.execute(text("update chain set position = least(position, 20), event_id = null"))
        for partition in range(12):
            await connection.execute(
                text(
                    "update chain set position = coalesce((select max(position) from events "
                    "where position <= 20 and stream = any(:streams)), 0) where partition = :partition"
                ),
                {
                    "partition": partition,
                    "streams": [
                        f"tally-{tally_id(n)}"
                        for n in range(40)
                        if partition_of(f"tally-{tally_id(n)}", 12) == partition
                    ],
                },
            )
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: _published_up_to(engine, 50))
    records = await published(kafka_of(kafka), topic, 12)
    by_position: dict[int, set[tuple[object, ...]]] = {}
    for partition, record, envelope in records:
        assert isinstance(envelope, Envelope)
        bytes_of = (partition, record.key, record.value, tuple(record.headers), record.timestamp)
        by_position.setdefault(envelope.position, set()).add(bytes_of)
    assert len(records) == 80
    assert sorted(by_position) == list(range(1, 51))
    assert all(len(versions) == 1 for versions in by_position.values())
    await engine.dispose()


async def test_one_of_two_relays_leads_and_the_other_takes_over(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    async with relaying(engine, kafka_of(kafka), topic, owner="second-comer", lease_seconds=1.0):
        async with relaying(engine, kafka_of(kafka), topic, owner="other", lease_seconds=1.0):
            await fill(engine, 30)
            await until(lambda: _published_up_to(engine, 30))
        await fill(engine, 30)
        await until(lambda: _published_up_to(engine, 60))
    positions = await published_positions(kafka_of(kafka), topic)
    assert sorted(positions) == list(range(1, 61))
    await engine.dispose()


async def test_a_relay_whose_client_gives_up_what_it_awaits_goes_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """A Kafka client that is closing cancels its callers; the relay takes that for a failure and begins again."""
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    async with relaying(engine, kafka_of(kafka), topic):
        await fill(engine, 10)
        await until(lambda: _published_up_to(engine, 10))
        leading = [t for t in asyncio.all_tasks() if getattr(t.get_coro(), "__qualname__", "") == "Relay._lead"]
        assert len(leading) == 1
        leading[0].cancel()
        await fill(engine, 10)
        await until(lambda: _published_up_to(engine, 20), what="published after the cancellation")
    await engine.dispose()


async def test_a_lead_that_was_taken_over_moves_nothing(database: Database) -> None:
    engine = await kernel_engine(database)
    zombie, heir = Lease(engine, "zombie", seconds=0.1), Lease(engine, "heir", seconds=30)
    old = await zombie.take()
    assert old is not None
    await asyncio.sleep(0.2)
    assert await heir.take() is not None
    with pytest.raises(LeadLost):
        await zombie.move(old.epoch, 99, {})
    assert (await log_status(engine)).published == 0
    await engine.dispose()


async def test_a_partition_gets_a_log_mark_after_traffic(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 10, streams=1)
    async with relaying(engine, kafka_of(kafka), topic, mark_seconds=0.2):
        partition = partition_of(f"tally-{tally_id(0)}", 12)

        async def marked() -> bool:
            records = await published(kafka_of(kafka), topic, 12)
            return any(isinstance(e, LogMark) and p == partition and e.previous_position == 10 for p, _, e in records)

        await until(marked, what="a log mark that names position 10")
    await engine.dispose()


async def test_an_emptied_topic_is_refilled_from_the_store(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 60)
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: _published_up_to(engine, 60))
    other = await new_topic(partitions=12)  # the same log meets an empty topic
    async with relaying(engine, kafka_of(kafka), other):

        async def refilled() -> bool:
            return len(await published_positions(kafka_of(kafka), other)) == 60

        await until(refilled, what="60 events in the emptied topic")
        await fill(engine, 5)
        await until(lambda: _published_up_to(engine, 65))
    assert sorted(await published_positions(kafka_of(kafka), other)) == list(range(1, 66))
    await engine.dispose()


async def test_a_partly_emptied_topic_is_refilled_without_repeating_what_it_holds(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic, full = await kernel_engine(database), await new_topic(partitions=12), await new_topic(partitions=12)
    await fill(engine, 60)
    async with relaying(engine, kafka_of(kafka), full):
        await until(lambda: _published_up_to(engine, 60))
    kept = [(p, r) for p, r, _ in await published(kafka_of(kafka), full, 12) if p % 2 == 0]
    producer = kafka_of(kafka).producer()
    await producer.start()
    for partition, r in kept:
        await producer.send_and_wait(
            topic, r.value, key=r.key, partition=partition, headers=list(r.headers), timestamp_ms=r.timestamp
        )
    await producer.stop()
    async with relaying(engine, kafka_of(kafka), topic):

        async def refilled() -> bool:
            return len(set(await published_positions(kafka_of(kafka), topic))) == 60

        await until(refilled)
        await until(lambda: _published_up_to(engine, 60))
    assert sorted(await published_positions(kafka_of(kafka), topic)) == list(range(1, 61))
    await engine.dispose()


async def test_an_emptied_topic_that_holds_but_what_was_in_flight_is_refilled(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """A chunk whose sending outlived the topic lies in the new one: its last records are those of the checkpoint."""
    engine, topic, full = await kernel_engine(database), await new_topic(partitions=12), await new_topic(partitions=12)
    await fill(engine, 60)
    async with relaying(engine, kafka_of(kafka), full):
        await until(lambda: _published_up_to(engine, 60))
    last = {p: (r, e) for p, r, e in await published(kafka_of(kafka), full, 12) if isinstance(e, Envelope)}
    tails = sum(e.previous_position > 0 for _, e in last.values())  # another's only event is all that there was
    producer = kafka_of(kafka).producer()
    await producer.start()
    for partition, (r, _) in last.items():
        await producer.send_and_wait(
            topic, r.value, key=r.key, partition=partition, headers=list(r.headers), timestamp_ms=r.timestamp
        )
    await producer.stop()
    for owner in ("first", "second"):
        async with relaying(engine, kafka_of(kafka), topic, owner=owner):

            async def refilled() -> bool:
                return len(set(await published_positions(kafka_of(kafka), topic))) == 60

            await until(refilled, what="60 events in the emptied topic")
            await until(lambda: _published_up_to(engine, 60))
    assert len(await published_positions(kafka_of(kafka), topic)) == 60 + tails  # and not once more by the second
    await engine.dispose()


async def test_a_store_restored_from_a_backup_under_a_living_kafka_is_refused_until_the_log_is_forked(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=12)
    await fill(engine, 100)
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: _published_up_to(engine, 100))
    async with (
        engine.begin() as connection
    ):  # the backup held 80 events; what came after draws the same positions again
        await connection.execute(text("delete from events where position > 80"))
        await connection.execute(
            text("update streams s set version = (select count(*) from events e where e.stream = s.stream)")
        )
        await connection.execute(text("alter table events alter column position restart with 81"))
        await connection.execute(text("update log set position = 80"))
    await fill(engine, 15)
    before = len(await published_positions(kafka_of(kafka), topic))
    async with relaying(engine, kafka_of(kafka), topic) as relay:

        async def refused() -> bool:
            return (await log_status(engine)).state == "forked" and relay.last_error is not None

        await until(refused, what="the fork is noticed")
        assert "log forked" in (relay.last_error or "")
        assert len(await published_positions(kafka_of(kafka), topic)) == before
        log_id = await fork_log(engine, actor=SOMEBODY, reason="restored from the backup of Sunday")
        await until(lambda: _published_up_to(engine, 95), what="the new log is published")
    records = await published(kafka_of(kafka), topic, 12)
    renewed = [e for _, _, e in records if isinstance(e, Envelope) and e.log_id == log_id]
    assert sorted(e.position for e in renewed) == list(range(1, 96))
    await engine.dispose()


async def test_a_topic_with_another_number_of_partitions_is_not_published_to(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=3)
    await fill(engine, 3)
    async with relaying(engine, kafka_of(kafka), topic) as relay:

        async def refused() -> bool:
            return relay.last_error is not None

        await until(refused)
        assert "has 3 partitions, the log was started with 12" in (relay.last_error or "")
    assert await published_positions(kafka_of(kafka), topic, 3) == []
    await engine.dispose()


async def test_records_that_are_no_envelope_do_not_hide_the_last_one_that_is(kafka: Broker) -> None:
    topic = Topic(f"aliens-{SOMEBODY}", 1)
    await create_topics(kafka.bootstrap, [topic])
    producer, consumer = kafka_of(kafka).producer(), kafka_of(kafka).consumer()
    await producer.start()
    await consumer.start()
    for n in range(5):
        await producer.send_and_wait(topic.name, b"x", partition=0, headers=[("ce_type", b"\xff"), ("n", b"%d" % n)])
    assert await last_records(consumer, topic.name, 1) == {}
    await producer.stop()
    await consumer.stop()
