"""A reader that forgives nothing: it writes down every event it is given, as often and in the order it is given them.

The services' own read models ignore what they have seen, by position or by version, so that a double hides in them.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Table, Text, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from launcher.postgres import PostgresServer
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.schema import register_reader
from tests.e2e.stored import EventLog, StoredEvent, query

NAME: Final = "witness"
GIVEN: Final = Table(
    NAME,
    MetaData(),
    Column("n", BigInteger, Identity(), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
_ALONE: Final = text("select pg_advisory_xact_lock(6120843918)")
_THERE: Final = text("select exists (select from checkpoints where reader = :reader)")
_GIVEN: Final = "select position, stream, version from witness order by n"


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    rows = [{"position": e.position, "stream": e.envelope.subject, "version": e.version} for e in events]
    await connection.execute(insert(GIVEN), rows)


def projection(topic: str) -> Projection:
    return Projection(name=NAME, topics=(topic,), tables=(GIVEN,), apply=apply)


async def install(topic: str) -> None:
    """Its table and its checkpoints, once; the database is the one that the process is told."""
    engine = create_engine(os.environ["TRELLIS_DATABASE_URL"])
    try:
        async with engine.begin() as connection:
            await connection.execute(_ALONE)
            if not await connection.scalar(_THERE, {"reader": NAME}):
                await connection.run_sync(GIVEN.metadata.create_all)
                await connection.run_sync(lambda c: register_reader(c, NAME, (topic,)))
    finally:
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a service's witness was not given, or given more than once, and how many streams came out of order."""

    lost: Sequence[StoredEvent]
    doubled: Sequence[StoredEvent]
    disordered: Sequence[str]


async def testimony(server: PostgresServer, log: EventLog) -> Testimony:
    rows = await query(server, log.service, _GIVEN)
    return judged(log, [(row["position"], row["stream"], row["version"]) for row in rows])


def judged(log: EventLog, given: Sequence[tuple[int, str, int]]) -> Testimony:
    """`given`: position, stream and version of each event, in the order in which it was given."""
    times = Counter(position for position, _, _ in given)
    highest: dict[str, int] = {}
    disordered: list[str] = []
    for _, stream, version in given:
        if version < highest.get(stream, 0):
            disordered.append(stream)
        highest[stream] = max(version, highest.get(stream, 0))
    return Testimony(
        lost=[event for event in log.events if event.position not in times],
        doubled=[event for event in log.events if times[event.position] > 1],
        disordered=disordered,
    )
