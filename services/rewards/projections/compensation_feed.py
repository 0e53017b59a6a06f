"""The compensation feed as the worker reads it, from its beginning at every start."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.projections.compensation import Change, apply
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.schemas.feed import feed_type
from shared.schemas.identifiers import PersonId
from shared.schemas.people import COMPENSATION_TOPIC, COMPENSATION_TYPES, CompensationRecord


async def _apply(engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
    changes = list(_changes(records))
    async with engine.begin() as connection:
        await apply(connection, changes)


def _changes(records: Iterable[FeedRecord]) -> Iterator[Change]:
    for record in records:
        if record.value is None:
            yield PersonId(UUID((record.key or b"").decode())), None
            continue
        event = COMPENSATION_TYPES.decode(feed_type(record.headers), record.value)
        if isinstance(event, CompensationRecord):
            yield event.person, event


COMPENSATION_FEED: Final = Feed(name="compensation", topic=COMPENSATION_TOPIC, apply=_apply)
