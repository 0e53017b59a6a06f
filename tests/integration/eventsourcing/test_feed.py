"""Feeds that are not ours: read from the beginning at every start; a bad record is parked, an outage waited for."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing import dead_letter_lists
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.feed import Feed, FeedReader, FeedRecord, RefusedRecord
from shared.eventsourcing.repair import FailsAgain, Repair
from shared.schemas.identifiers import SYSTEM
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, until
from tests.integration.eventsourcing.tally import kernel_engine, scalar
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def send(broker: Broker, topic: str, values: Sequence[str]) -> None:
    producer = kafka_of(broker).producer()
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value.encode(), key=value.encode())
    await producer.stop()


@asynccontextmanager
async def reading(engine: AsyncEngine, broker: Broker, feed: Feed) -> AsyncGenerator[FeedReader]:
    reader = FeedReader(engine, kafka_of(broker), feed)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def values_of(records: Sequence[FeedRecord]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


async def test_a_feed_is_read_from_its_beginning_at_every_start(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=3)
    seen: list[str] = []

    async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        seen.extend(values_of(records))

    await send(kafka, topic, [f"v{n}" for n in range(20)])
    feed = Feed(name="feed", topic=topic, apply=apply)
    for _ in range(2):
        seen.clear()
        async with reading(engine, kafka, feed) as reader:

            async def everything() -> bool:
                return reader.caught_up.is_set() and len(seen) == 20

            await until(everything, what="twenty records and caught up")
        assert sorted(seen) == sorted(f"v{n}" for n in range(20))
    await engine.dispose()


async def test_a_record_that_cannot_be_applied_is_parked_and_the_others_go_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=3)
    applied: set[str] = set()

    async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        if "bad" in values_of(records):
            raise ValueError("cannot be applied")
        applied.update(values_of(records))

    await send(kafka, topic, ["a", "bad", "b", "c"])
    async with reading(engine, kafka, Feed(name="feed", topic=topic, apply=apply)):

        async def done() -> bool:
            return applied == {"a", "b", "c"} and await scalar(engine, "select count(*) from dead_letters") == 1

        await until(done, what="three applied, one parked")
    await engine.dispose()


async def test_a_feed_that_tells_what_it_refuses_has_the_others_applied_together(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=1)
    batches: list[list[str]] = []

    async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> list[RefusedRecord]:
        batches.append(values_of(records))
        return [RefusedRecord(one, ValueError("too small")) for one in records if one.value == b"bad"]

    await send(kafka, topic, ["a", "bad", "b", "c"])
    feed = Feed(name="feed", topic=topic, apply=apply)
    async with reading(engine, kafka, feed) as reader:

        async def read() -> bool:
            return reader.records == 4

        await until(read, what="four records")
    assert [value for batch in batches for value in batch] == ["a", "bad", "b", "c"]  # each once: none alone again
    assert await scalar(engine, "select count(*) from dead_letters where message = 'too small'") == 1

    parked = await scalar(engine, "select id from dead_letters")
    with pytest.raises(FailsAgain, match="too small"):
        await Repair(engine, [], [feed]).retry(parked, actor=SYSTEM)
    await engine.dispose()


@dataclass
class Choosy:
    """A feed that cannot apply these values until its code is mended; what is applied is told by key."""

    topic: str
    refused: set[str] = field(default_factory=lambda: {"bad", "worse"})
    applied: list[tuple[bytes | None, bytes | None]] = field(default_factory=list[tuple[bytes | None, bytes | None]])

    @property
    def feed(self) -> Feed:
        async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
            if self.refused.intersection(values_of(records)):
                raise ValueError("cannot be applied")
            self.applied.extend((record.key, record.value) for record in records)

        return Feed(name="feed", topic=self.topic, apply=apply)

    @asynccontextmanager
    async def read(self, engine: AsyncEngine, broker: Broker, *, applied: int, parked: int) -> AsyncGenerator[None]:
        """The feed is read from its beginning until this many are applied and parked."""
        async with reading(engine, broker, self.feed) as reader:

            async def read() -> bool:
                left = await scalar(engine, "select count(*) from dead_letters where discarded_at is null")
                return reader.caught_up.is_set() and (len(self.applied), left) == (applied, parked)

            await until(read, what=f"{applied} applied, {parked} parked")
            yield


async def test_a_feeds_dead_letters_are_retried_and_discarded_by_their_ids(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, choosy = await kernel_engine(database), Choosy(await new_topic(partitions=1))
    repair = Repair(engine, [], [choosy.feed])
    await send(kafka, choosy.topic, ["a", "bad", "worse", "b"])
    async with choosy.read(engine, kafka, applied=2, parked=2):
        bad, worse = [
            one.record.id
            for one in await dead_letter_lists.parked_streams(engine, reader=None, stream=None, after=0, limit=9)
        ]
        with pytest.raises(FailsAgain):
            await repair.retry(bad, actor=SYSTEM)
        choosy.refused.remove("bad")
        assert (await repair.retry(bad, actor=SYSTEM)).applied == 1
        assert choosy.applied[-1] == (b"bad", b"bad")
        await repair.discard(worse, reason="nobody knows what it means", actor=SYSTEM)
    choosy.applied.clear()
    choosy.refused.clear()
    async with choosy.read(engine, kafka, applied=3, parked=0):  # what was discarded stays so
        pass
    await engine.dispose()


async def test_a_record_that_can_be_applied_when_the_feed_is_read_again_is_a_dead_letter_no_more(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    engine, choosy = await kernel_engine(database), Choosy(await new_topic(partitions=1))
    await send(kafka, choosy.topic, ["a", "bad", "b"])
    async with choosy.read(engine, kafka, applied=2, parked=1):
        pass
    choosy.refused.clear()
    choosy.applied.clear()
    async with choosy.read(engine, kafka, applied=3, parked=0):
        pass
    await engine.dispose()


@pytest.mark.parametrize("error", [ConnectionResetError("the database went away"), Conflict("payment-1")])
async def test_an_outage_or_a_contended_stream_is_waited_for_and_parks_nothing(
    database: Database, kafka: Broker, new_topic: NewTopic, error: Exception
) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=3)
    failures, applied = iter([error, error]), set[str]()

    async def apply(_engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure
        applied.update(values_of(records))

    await send(kafka, topic, ["a", "b", "c"])
    async with reading(engine, kafka, Feed(name="feed", topic=topic, apply=apply)):

        async def done() -> bool:
            return applied == {"a", "b", "c"}

        await until(done, what="three applied after two failures")
    assert await scalar(engine, "select count(*) from dead_letters") == 0
    await engine.dispose()
