"""A log verified on a real PostgreSQL and a real broker: clean, damaged in each way, and while events are written."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing.administration import fork_log
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.refill import RefillRefused, refill
from shared.eventsourcing.topic_scan import KafkaSilent
from shared.eventsourcing.verification import StoreSilent, Verification, verify
from shared.runtime.log_commands import as_json, in_words
from shared.schemas.envelope import Envelope, LogMark
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, published, relaying, until
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
PARTITIONS = 3
EVENTS = 60
Damage = Callable[[list[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """A log of tallies and the topic that a relay has published it to."""

    engine: AsyncEngine
    kafka: Kafka
    topic: str
    new_topic: NewTopic

    async def write(self, number: int) -> None:
        commands = handler(self.engine, PARTITIONS)
        for n in range(number):
            await commands.handle(context(), TALLY, tally_id(n % 7), count())

    async def verify(self, topic: str | None = None, *, seconds: float = 10) -> Verification:
        topic, source = topic or self.topic, "/trellis/tally"
        return await verify(self.engine, self.kafka, topic=topic, source=source, publish_seconds=seconds)

    async def copy(self, damage: Damage) -> str:
        """A topic with the records of partition 0 damaged and the others as they are."""
        copy = await self.new_topic(partitions=PARTITIONS)
        parts: dict[int, list[Any]] = {p: [] for p in range(PARTITIONS)}
        for partition, record, envelope in await published(self.kafka, self.topic, PARTITIONS):
            if isinstance(envelope, Envelope):
                parts[partition].append(record)
        producer = self.kafka.producer()
        await producer.start()
        try:
            for partition, records in parts.items():
                for record in damage(records) if partition == 0 else records:
                    key, value, headers = record.key, record.value, list(record.headers)
                    await producer.send_and_wait(copy, value, key=key, partition=partition, headers=headers)
        finally:
            await producer.stop()
        return copy


@dataclass(frozen=True, slots=True)
class Altered:
    """A record that is not what it was."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


@pytest.fixture
async def log(database: Database, kafka: Broker, new_topic: NewTopic) -> AsyncIterator[PublishedLog]:
    engine = await kernel_engine(database, partitions=PARTITIONS)
    log = PublishedLog(engine, kafka_of(kafka), await new_topic(partitions=PARTITIONS), new_topic)
    await log.write(EVENTS)
    yield log
    await engine.dispose()


@pytest.fixture
async def clean(log: PublishedLog) -> PublishedLog:
    """All of it is published, with a log mark at each partition's end; the relay has stopped."""
    async with relaying(log.engine, log.kafka, log.topic, mark_seconds=0.2):
        await until(lambda: _published(log), what="everything is published")
        await until(lambda: _marked(log), what="each partition's end is marked")
    return log


async def _published(log: PublishedLog) -> bool:
    return await scalar(log.engine, "select position from log") >= await scalar(
        log.engine, "select max(position) from events"
    )


async def _marked(log: PublishedLog) -> bool:
    records = await published(log.kafka, log.topic, PARTITIONS)
    return {partition for partition, _, envelope in records if isinstance(envelope, LogMark)} == set(range(PARTITIONS))


def verdict(found: Verification) -> str:
    lines = in_words(found)
    print("\n".join(lines))
    return lines[len(found.partitions) + 2 :][0].strip()


async def test_a_clean_log_has_no_difference_and_equal_checksums(clean: PublishedLog) -> None:
    found = await clean.verify()
    assert verdict(found) == "no difference: what Kafka holds is what the store holds"
    assert (found.sound, found.events, found.streams, found.unpublished) == (True, EVENTS, 7, 0)
    assert sum(p.stored for p in found.partitions) == sum(p.published for p in found.partitions) == EVENTS
    for partition in as_json(found)["partitions"]:
        assert partition["stored_sha256"] == partition["published_sha256"]


async def test_duplicates_and_healed_holes_are_legal_and_counted(clean: PublishedLog) -> None:
    """A relay that failed after the third record's send was lost, and published again from its checkpoint."""
    found = await clean.verify(await clean.copy(lambda r: [*r[:2], *r[3:5], *r]))
    assert found.sound, verdict(found)
    assert (found.partitions[0].duplicates, found.partitions[0].healed) == (2, 1)


async def test_a_record_that_is_missing_is_named(clean: PublishedLog) -> None:
    copy = await clean.copy(pierced)
    said = verdict(found := await clean.verify(copy))
    assert not found.sound
    assert said.startswith("FIRST DIFFERENCE: missing: partition 0, offset 3, position ")
    assert "it is missing after offset 3: the record at offset 4 names position" in said
    assert found.partitions[0].stored_checksum != found.partitions[0].published_checksum
    assert all(p.difference is None for p in found.partitions[1:])


async def test_a_last_record_that_is_missing_is_named(clean: PublishedLog) -> None:
    said = verdict(await clean.verify(await clean.copy(lambda r: r[:-1])))
    assert said.startswith("FIRST DIFFERENCE: missing: partition 0")
    assert said.endswith("where the partition ends")


async def test_a_record_whose_data_were_altered_is_named(clean: PublishedLog) -> None:
    def altered(records: list[Any]) -> list[Any]:
        r = records[4]
        return [*records[:4], Altered(r.key, r.value.replace(b"1", b"2"), r.headers), *records[5:]]

    said = verdict(found := await clean.verify(await clean.copy(altered)))
    assert said.startswith("FIRST DIFFERENCE: altered: partition 0, offset 4, position ")
    assert said.endswith("the data differ from what is stored")
    assert [d.kind for d in found.differences] == ["altered"]


async def test_a_record_whose_envelope_was_altered_is_named_with_the_header(clean: PublishedLog) -> None:
    def altered(records: list[Any]) -> list[Any]:
        r = records[4]
        headers = [(name, b"2020-01-01T00:00:00+00:00" if name == "ce_time" else value) for name, value in r.headers]
        return [*records[:4], Altered(r.key, r.value, headers), *records[5:]]

    said = verdict(await clean.verify(await clean.copy(altered)))
    assert said.endswith("the envelope (ce_time) differ from what is stored")


async def test_two_records_that_were_swapped_are_named(clean: PublishedLog) -> None:
    said = verdict(await clean.verify(await clean.copy(swapped)))
    assert said.startswith("FIRST DIFFERENCE: misplaced: partition 0, offset 4, position ")
    assert "it stands at offset 4, before the record that it follows, which is at offset 5" in said


async def test_an_event_that_the_store_does_not_hold_is_named(clean: PublishedLog) -> None:
    async with clean.engine.begin() as connection:
        last = "delete from events where position = (select max(position) from events) returning stream"
        stream = (await connection.execute(text(last))).scalar_one()
        await connection.execute(text("update streams set version = version - 1 where stream = :s"), {"s": stream})
        await connection.execute(
            text(
                "insert into events (stream, version, event_id, type, data, metadata) "
                "select 'tally-later', 1, gen_random_uuid(), type, data, metadata "
                "from events order by position limit 1"
            )
        )
        await connection.execute(text("insert into streams values ('tally-later', 1)"))
        await connection.execute(text("update log set position = (select max(position) from events)"))
    found = await clean.verify()
    print("\n".join(in_words(found)))
    assert "unknown" in {d.kind for d in found.differences}


async def test_a_gap_in_a_streams_versions_is_named(clean: PublishedLog) -> None:
    async with clean.engine.begin() as connection:
        await connection.execute(text("update events set version = version + 10 where position = 50"))
    found = await clean.verify()
    print("\n".join(in_words(found)))
    assert found.differences[0].kind == "versions"
    assert found.differences[0].position <= 50


async def test_a_log_is_verified_while_events_are_written(log: PublishedLog) -> None:
    async def write_on() -> None:
        while True:
            await log.write(20)

    async with relaying(log.engine, log.kafka, log.topic):
        writing = asyncio.create_task(write_on())
        try:
            for _ in range(3):
                found = await log.verify()
                assert found.sound, verdict(found)
                assert EVENTS <= found.events <= await scalar(log.engine, "select count(*) from events")
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing


async def test_what_the_relay_has_yet_to_publish_is_no_difference_and_counted(clean: PublishedLog) -> None:
    await clean.write(5)
    found = await clean.verify(seconds=0)
    assert (found.sound, found.events, found.unpublished) == (True, EVENTS, 5)
    assert not found.complete
    assert verdict(found).startswith("no difference up to there, but 5 events behind it are stored and not published")


async def test_after_a_fork_the_records_of_the_old_log_are_passed_over(clean: PublishedLog) -> None:
    await fork_log(clean.engine, actor=SOMEBODY, reason="restored from a backup")
    async with relaying(clean.engine, clean.kafka, clean.topic, owner="another"):
        await until(lambda: _published(clean), what="everything is published as a new log")
    found = await clean.verify()
    assert found.sound, verdict(found)
    assert sum(p.superseded for p in found.partitions) == EVENTS + PARTITIONS


async def test_a_full_topic_is_not_refilled(clean: PublishedLog) -> None:
    before = await scalar(clean.engine, "select position + epoch from log")
    with pytest.raises(RefillRefused, match=f"is full: all {EVENTS} events"):
        await refill(clean.engine, await clean.verify())
    assert await scalar(clean.engine, "select position + epoch from log") == before


async def test_what_was_altered_is_not_mended_by_a_refill(clean: PublishedLog) -> None:
    copy = await clean.copy(lambda r: [Altered(r[0].key, b"{}", r[0].headers), *r[1:]])
    with pytest.raises(RefillRefused, match="trellis log fork"):
        await refill(clean.engine, await clean.verify(copy))


def emptied(_records: list[Any]) -> Sequence[Any]:
    return []


def beheaded(records: list[Any]) -> Sequence[Any]:
    return records[5:]


def pierced(records: list[Any]) -> Sequence[Any]:
    return [*records[:4], *records[5:]]


def swapped(records: list[Any]) -> Sequence[Any]:
    return [*records[:4], records[5], records[4], *records[6:]]


@pytest.mark.parametrize("damage", [emptied, beheaded, pierced, swapped])
async def test_a_refill_publishes_again_what_is_missing(clean: PublishedLog, damage: Damage) -> None:
    copy = await clean.copy(damage)
    begun = await refill(clean.engine, await clean.verify(copy))
    assert begun.partitions == [0]
    async with relaying(clean.engine, clean.kafka, copy, owner="another"):
        await until(lambda: _published(clean), what="the relay has published everything again")
    found = await clean.verify(copy)
    assert found.sound, verdict(found)
    assert [p.duplicates for p in found.partitions[1:]] == [0, 0]


async def test_without_kafka_one_line_says_so(clean: PublishedLog) -> None:
    nowhere = Kafka(bootstrap="127.0.0.1:1")
    with pytest.raises(KafkaSilent, match=r"Kafka does not answer at 127\.0\.0\.1:1"):
        await verify(clean.engine, nowhere, topic=clean.topic, source="/trellis/tally")


async def test_a_topic_that_is_not_there_is_said_to_be_missing(clean: PublishedLog) -> None:
    with pytest.raises(KafkaSilent, match=r"has no topic nowhere\.events: run the migration job"):
        await clean.verify("nowhere.events")


async def test_without_the_store_one_line_says_so(clean: PublishedLog) -> None:
    engine = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreSilent, match="the event store does not answer"):
        await verify(engine, clean.kafka, topic=clean.topic, source="/trellis/tally")
    await engine.dispose()
