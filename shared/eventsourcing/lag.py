"""How far a service's log and readers have come: one look at its database, cheap enough for every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_COUNTED: Final = 100_000
"""Unpublished events are counted up to here: a backlog that long says enough, and counting it must stay cheap."""

_LOG: Final = text(
    "select position as published, state, (select coalesce(max(position), 0) from events) as stored, "
    "(select count(*) from (select from events e where e.position > log.position limit :most) waiting) as waiting, "
    "(select extract(epoch from clock_timestamp() - e.recorded_at)::float8 from events e "
    "  where e.position > log.position order by e.position limit 1) as waiting_seconds from log"
)
_CHECKPOINTS: Final = text(
    "select reader, topic, partition, position, next_offset, stopped is not null from checkpoints "
    "order by reader, topic, partition"
)
_PARKED: Final = text(
    "select reader, count(*) filter (where culprit and waiting_for is null), count(waiting_for) from dead_letters "
    "where discarded_at is null group by reader"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLag:
    """A log: last position stored and published, its state, events that wait for the relay, the first one's age (s)."""

    stored: int
    published: int
    state: str
    waiting: int
    waiting_seconds: float


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a reader has come in one partition; -1: it has not started."""

    reader: str
    topic: str
    partition: int
    position: int
    next_offset: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """A reader's dead letters: those with an event that cannot be applied, and those that wait for a fact."""

    reader: str
    failed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Lag:
    """All that one look tells."""

    log: LogLag
    reached: Sequence[Reached]
    parked: Sequence[Parked]


async def look(connection: AsyncConnection) -> Lag:
    """The log, the checkpoints and the dead letters of a service, as they are now."""
    log: Any = (await connection.execute(_LOG, {"most": MOST_COUNTED})).one()
    return Lag(
        LogLag(
            stored=log.stored,
            published=log.published,
            state=log.state,
            waiting=log.waiting,
            waiting_seconds=max(0.0, log.waiting_seconds or 0.0),
        ),
        [Reached(*row) for row in await connection.execute(_CHECKPOINTS)],
        [Parked(*row) for row in await connection.execute(_PARKED)],
    )
