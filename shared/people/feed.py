"""The people feed as a service's worker reads it, from its beginning at every start, into the table `people`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.feed import Feed, FeedRecord
from shared.people.projection import Change, apply
from shared.schemas.feed import feed_type
from shared.schemas.identifiers import PersonId
from shared.schemas.people import TOPIC, TYPES, PersonRecord


async def _apply(engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
    changes = list(_changes(records))
    async with engine.begin() as connection:
        await apply(connection, changes)


def _changes(records: Iterable[FeedRecord]) -> Iterator[Change]:
    """What the records say, in order; one of a type that is not known yet says nothing."""
    for record in records:
        if record.value is None:
            yield PersonId(UUID((record.key or b"").decode())), None
            continue
        event = TYPES.decode(feed_type(record.headers), record.value)
        if isinstance(event, PersonRecord):
            yield event.person, event


PEOPLE_FEED: Final = Feed(name="people", topic=TOPIC, apply=_apply)
