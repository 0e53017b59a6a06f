"""How fast commands are decided and stored: `CommandHandler` on a durable PostgreSQL, each command one transaction."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from benchmarks.measuring import Contender, take_turns
from benchmarks.question import Answer, Asked, Question
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.decider import Command, Decider
from shared.eventsourcing.handler import CommandHandler, Context
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.schema import PARTITIONS, install
from shared.eventsourcing.store import EventStore
from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import PersonId


class Counted(Event):
    """Something was counted."""

    event_type: ClassVar[str] = "trellis.benchmark.Counted.v1"

    number: int


class Count(Command):
    """Count one more."""


@dataclass(frozen=True, slots=True)
class Counter:
    number: int = 0


def decide(counter: Counter, _command: Command) -> Sequence[Event]:
    return [Counted(number=counter.number + 1)]


def evolve(counter: Counter, event: Event) -> Counter:
    return replace(counter, number=event.number) if isinstance(event, Counted) else counter


COUNTER = Decider(category="counter", initial=Counter(), decide=decide, evolve=evolve)


async def commands_per_second(url: str, *, writers: int, seconds: float) -> float:
    """`writers` at once, each on a stream of its own, for `seconds`."""
    engine = create_engine(url, pool_size=writers)
    handler = CommandHandler(EventStore(engine, EventTypes.of((Counted,))), partitions=PARTITIONS)
    actor, at = PersonId(uuid7()), datetime(2026, 1, 1, tzinfo=UTC)

    async def write(until: float) -> int:
        stream, done = uuid7(), 0
        while time.monotonic() < until:
            context = Context(actor=actor, at=at, command_id=uuid7(), correlation_id=uuid7())
            await handler.handle(context, COUNTER, stream, Count(at=at, by=actor))
            done += 1
        return done

    began = time.monotonic()
    done = sum(await asyncio.gather(*(write(began + seconds) for _ in range(writers))))
    taken = time.monotonic() - began
    await engine.dispose()
    return done / taken


async def answered(asked: Asked) -> Answer:
    """One-event commands through the decider, each writer on a stream of its own."""
    seconds = 5.0 if asked.full else 1.0
    async with asked.servers.database() as name:
        url = asked.servers.postgres.url(name)
        engine = create_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(install)
        await engine.dispose()
        ours = [
            Contender(
                f"trellis, {writers} at once",
                "commands/s",
                partial(commands_per_second, url, writers=writers, seconds=seconds),
            )
            for writers in (1, 16, 64)
        ]
        series = await take_turns(ours, progress=asked.progress, what="append")
    return Answer(series, [], sizes={"seconds": seconds})


QUESTION: Final = Question("append", "how many one-event commands a second are decided and stored", answered)
