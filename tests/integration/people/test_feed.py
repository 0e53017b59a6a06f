"""The people feed from a real broker into the table: read anew at every start, and one bad record stops nobody."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from launcher.people_import.feed import PeopleFeed
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.feed import FeedReader
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.schema import extend_dead_letters, install
from shared.people.feed import PEOPLE_FEED
from shared.people.population import exists, find
from shared.people.table import create_people
from shared.schemas.identifiers import PersonId
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, until
from tests.integration.people.company import record
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka

ANN, BEN = PersonId(derived("person", "ann")), PersonId(derived("person", "ben"))


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(install)
        await connection.run_sync(extend_dead_letters)
        await connection.run_sync(create_people)
    yield engine
    await engine.dispose()


@pytest.fixture
async def feed(kafka: Broker, new_topic: NewTopic) -> PeopleFeed:
    return PeopleFeed(kafka_of(kafka), people=await new_topic(partitions=12))


@asynccontextmanager
async def reading(engine: AsyncEngine, kafka: Kafka, topic: str) -> AsyncGenerator[FeedReader]:
    """A reader that has caught up and runs as long as the block."""
    reader = FeedReader(engine, kafka, replace(PEOPLE_FEED, topic=topic))
    task = asyncio.create_task(reader.run())
    try:
        async with asyncio.timeout(30):
            await reader.caught_up.wait()
        yield reader
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def team_of(engine: AsyncEngine, person: PersonId) -> str | None:
    async with engine.connect() as connection:
        found = await find(connection, person)
    return None if found is None else found.team


async def send(feed: PeopleFeed, key: bytes, value: bytes | None) -> None:
    producer = feed.kafka.producer()
    await producer.start()
    try:
        await producer.send_and_wait(feed.people, value, key=key)
    finally:
        await producer.stop()


async def test_what_was_published_is_there_and_changes_arrive(engine: AsyncEngine, feed: PeopleFeed) -> None:
    await feed.publish([record(ANN), record(BEN, ANN)])
    async with reading(engine, feed.kafka, feed.people):
        assert await team_of(engine, BEN) == "Sales"
        await feed.publish([record(BEN, ANN, revision=2, team="Research")])
        await until(lambda: is_in(engine, BEN, "Research"), what="the change")


async def is_in(engine: AsyncEngine, person: PersonId, team: str | None) -> bool:
    return await team_of(engine, person) == team


async def test_a_restarted_reader_reads_all_of_it_again_and_changes_nothing(
    engine: AsyncEngine, feed: PeopleFeed
) -> None:
    await feed.publish([record(ANN), record(ANN, revision=2, team="Research")])
    for _ in range(2):
        async with reading(engine, feed.kafka, feed.people):
            assert await team_of(engine, ANN) == "Research"


async def test_a_tombstone_forgets(engine: AsyncEngine, feed: PeopleFeed) -> None:
    await feed.publish([record(ANN), record(BEN)])
    async with reading(engine, feed.kafka, feed.people):
        await send(feed, str(ANN).encode(), None)
        await until(lambda: is_in(engine, ANN, None), what="the tombstone")
    async with engine.connect() as connection:
        assert await exists(connection, BEN)


async def test_a_record_that_is_none_is_parked_and_the_others_go_on(engine: AsyncEngine, feed: PeopleFeed) -> None:
    await send(feed, b"junk", b"not a person")
    await feed.publish([record(ANN)])
    async with reading(engine, feed.kafka, feed.people):
        assert await team_of(engine, ANN) == "Sales"
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from dead_letters where reader = 'people'")) == 1
