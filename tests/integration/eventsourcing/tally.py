"""A tiny publisher for the kernel's tests: tallies that count, with no business word in it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.append import Key
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.eventsourcing.decision import Context
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived, uuid7
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.schema import extend_dead_letters, install, install_builds, register_reader
from shared.eventsourcing.store import EventStore
from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import PersonId
from tests.servers.databases import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SOMEBODY = PersonId(UUID(int=7))


class Counted(Event):
    event_type: ClassVar[str] = "trellis.tally.Counted.v1"

    step: int


class Sealed(Event):
    event_type: ClassVar[str] = "trellis.tally.Sealed.v1"


TYPES = EventTypes.of((Counted, Sealed))


class Count(Command):
    step: int = 1
    times: int = 1


class Seal(Command):
    pass


@dataclass(frozen=True, slots=True)
class Tally:
    total: int = 0
    sealed: bool = False


def evolve(tally: Tally, event: Event) -> Tally:
    match event:
        case Counted():
            return replace(tally, total=tally.total + event.step)
        case Sealed():
            return replace(tally, sealed=True)
        case _:
            return tally


def decide(tally: Tally, command: Command) -> Sequence[Event]:
    if tally.sealed:
        if isinstance(command, Seal):
            return []
        raise Rejected("tally-is-sealed", total=tally.total)
    match command:
        case Count():
            return [Counted(step=command.step) for _ in range(command.times)]
        case _:
            return [Sealed()]


TALLY = Decider(category="tally", initial=Tally(), decide=decide, evolve=evolve)

METADATA = MetaData()
TALLIES = Table(
    "tallies",
    METADATA,
    Column("tally", Text, primary_key=True),
    Column("total", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("disorder", Integer, nullable=False, server_default="0"),
)
APPLIED = Table("applied", METADATA, Column("position", BigInteger, nullable=False))
"""No unique key: doubles must be seen, not refused."""


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Totals per tally, versions checked for order, and every position noted."""
    await connection.execute(APPLIED.insert(), [{"position": e.position} for e in events])
    added: dict[str, int] = defaultdict(int)
    for e in events:
        added[e.stream] += e.event.step if isinstance(e.event, Counted) else 0
    for stream in sorted(added):
        mine = [e.version for e in events if e.stream == stream]
        disorder = sum(b != a + 1 for a, b in pairwise(mine))
        statement = insert(TALLIES).values(tally=stream, total=added[stream], version=mine[-1], disorder=disorder)
        statement = statement.on_conflict_do_update(
            index_elements=["tally"],
            set_={
                "total": TALLIES.c.total + added[stream],
                "version": mine[-1],
                "disorder": TALLIES.c.disorder + disorder + (TALLIES.c.version != mine[0] - 1).cast(Integer),
            },
        )
        await connection.execute(statement)


def tally_projection(topic: str) -> Projection:
    return Projection(name="tally_totals", topics=(topic,), tables=(TALLIES, APPLIED), apply=apply)


async def kernel_engine(database: Database, *, topics: tuple[str, ...] = (), partitions: int = 12) -> AsyncEngine:
    """An engine on a database with the kernel's tables, the read model's, and its checkpoint rows."""
    engine = create_engine(database.url, pool_size=20)
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: install(c, partitions=partitions))
        await connection.run_sync(extend_dead_letters)
        await connection.run_sync(install_builds)
        await connection.run_sync(METADATA.create_all)
        if topics:
            await connection.run_sync(lambda c: register_reader(c, "tally_totals", topics, partitions=partitions))
    return engine


async def start_over(engine: AsyncEngine) -> None:
    """No rows, and the checkpoints at the beginning of the youngest log seen."""
    async with engine.begin() as connection:
        await connection.execute(text("truncate tallies, applied, dead_letters"))
        await checkpoints.reset(connection, "tally_totals")


def handler(engine: AsyncEngine, partitions: int = 12) -> CommandHandler:
    return CommandHandler(EventStore(engine, TYPES), partitions=partitions)


def context(*, key: str | None = None, body: bytes = b"", expected_version: int | None = None) -> Context:
    idempotency = Key(caller="somebody", route="POST /tallies", key=key, request_hash=body) if key else None
    return Context(
        actor=SOMEBODY,
        at=NOW,
        command_id=uuid7(),
        correlation_id=uuid7(),
        idempotency=idempotency,
        expected_version=expected_version,
    )


def count(step: int = 1, *, times: int = 1) -> Count:
    return Count(step=step, times=times, at=NOW, by=SOMEBODY)


def tally_id(name: object) -> UUID:
    return derived("tally", name)


async def scalar(engine: AsyncEngine, statement: str) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(text(statement))).scalar_one()
