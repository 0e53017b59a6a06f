"""Records of the people feed, as Kafka holds them, become rows of the table `people`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import create_engine
from shared.eventsourcing.feed import FeedRecord
from shared.eventsourcing.identifiers import derived
from shared.people.feed import PEOPLE_FEED
from shared.people.population import exists, find
from shared.people.table import create_people
from shared.schemas.envelope import Headers, MalformedEnvelope
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import PersonId
from shared.schemas.people import TOPIC, PersonRecord
from tests.integration.people.company import record
from tests.servers.databases import Database

ANN, BEN = (PersonId(derived("person", name)) for name in ("ann", "ben"))


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(create_people)
    yield engine
    await engine.dispose()


def published(person: PersonRecord) -> FeedRecord:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    headers = feed_headers(person, identity=derived(person), source="test", subject=f"person-{person.person}", time=at)
    return from_topic(person.person, encode(person).encode(), headers)


def from_topic(person: PersonId, value: bytes | None, headers: Headers = ()) -> FeedRecord:
    return FeedRecord(TOPIC, 0, 0, str(person).encode(), value, headers)


async def test_records_become_rows_and_a_second_reading_changes_nothing(engine: AsyncEngine) -> None:
    feed = [published(record(ANN)), published(record(BEN, ANN)), published(record(BEN, ANN, revision=2, team="R&D"))]
    for _ in range(2):
        await PEOPLE_FEED.apply(engine, feed)
        async with engine.connect() as connection:
            ben = await find(connection, BEN)
        assert ben is not None
        assert (ben.manager, ben.revision, ben.team) == (ANN, 2, "R&D")


async def test_a_tombstone_forgets_the_person(engine: AsyncEngine) -> None:
    await PEOPLE_FEED.apply(engine, [published(record(ANN)), from_topic(ANN, None)])
    async with engine.connect() as connection:
        assert not await exists(connection, ANN)


async def test_a_record_of_a_later_type_is_passed_over(engine: AsyncEngine) -> None:
    later = from_topic(ANN, b"{}", [("ce_type", b"trellis.people.PersonPhotographed.v1")])
    await PEOPLE_FEED.apply(engine, [later, published(record(BEN))])
    async with engine.connect() as connection:
        assert not await exists(connection, ANN)
        assert await exists(connection, BEN)


async def test_a_record_without_a_type_applies_nothing_of_its_slice(engine: AsyncEngine) -> None:
    with pytest.raises(MalformedEnvelope):
        await PEOPLE_FEED.apply(engine, [published(record(BEN)), from_topic(ANN, b"{}")])
    async with engine.connect() as connection:
        assert not await exists(connection, BEN)
