"""`python -m benchmarks.append_trellis URL`: commands through our kernel, as a service's api process handles them."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import uvloop

from benchmarks.counter import COUNTER, NOTE, TYPES, Count, Counted, Start
from benchmarks.writers import CONNECTIONS, EVENTS_BEFORE, STREAMS, Write, told, working
from shared.eventsourcing.append import Append, Key
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.handler import CommandHandler, Context
from shared.eventsourcing.identifiers import stream_name, uuid7
from shared.eventsourcing.store import EventStore
from shared.runtime.collection import collect_seldom
from shared.schemas.identifiers import PersonId
from shared.schemas.partitions import PARTITIONS

_ACTOR: Final = PersonId(uuid7())
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _context() -> Context:
    key = Key(caller=str(_ACTOR), route="POST /counters", key=str(uuid7()), request_hash=b"h" * 32)
    return Context(actor=_ACTOR, at=_AT, command_id=uuid7(), correlation_id=uuid7(), idempotency=key)


@dataclass(frozen=True, slots=True)
class _Commands:
    handler: CommandHandler

    async def to_new_streams(self, _writer: int, _number: int) -> None:
        await self.handler.handle(_context(), COUNTER, uuid7(), Start(note=NOTE, at=_AT, by=_ACTOR))

    async def _count(self, stream: UUID) -> None:
        await self.handler.handle(_context(), COUNTER, stream, Count(note=NOTE, at=_AT, by=_ACTOR))

    async def to_existing_streams(self, *, writers: int, cold: bool) -> Write:
        """Each writer's own streams in turn, each used once before; `cold`: nothing is remembered of it even so."""
        streams = [await self._made() for _ in range(STREAMS)]
        await asyncio.gather(*map(self._count, streams))

        async def write(writer: int, number: int) -> None:
            mine = streams[writer::writers]
            stream = mine[number % len(mine)]
            if cold:
                self.handler.forget(stream_name(COUNTER.category, stream))
            await self._count(stream)

        return write

    async def _made(self) -> UUID:
        store, stream = self.handler.store, uuid7()
        counted = [(Counted(number=number, note=NOTE), _context().metadata) for number in range(1, EVENTS_BEFORE + 1)]
        append = Append(stream=stream_name(COUNTER.category, stream), expected=0, events=await store.prepare(counted))
        async with store.engine.connect() as connection:
            await store.append(connection, [append])
        return stream


async def main(url: str) -> None:
    collect_seldom()  # as an api does
    engine = create_engine(url, pool_size=CONNECTIONS // 2)
    commands = _Commands(CommandHandler(EventStore(engine, TYPES), partitions=PARTITIONS))

    async def run(task: dict[str, Any]) -> float:
        way, writers = task["way"], task["writers"]
        write = commands.to_new_streams
        if way != "new":
            write = await commands.to_existing_streams(writers=writers, cold=way == "cold")
        return await working(write, writers=writers, seconds=task["seconds"])

    await told(run)
    await engine.dispose()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
