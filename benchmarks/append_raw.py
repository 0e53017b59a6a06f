"""`python -m benchmarks.append_raw single|merged DSN`: what asyncpg and PostgreSQL do with the same bytes alone.

`single`: each command is one INSERT, a transaction of its own, into a table that has its primary key alone.
`merged`: our append statement, heads, trigger and idempotency keys included; whatever has come while the last one ran
goes into the next, as group commit does. Nothing is loaded, decided or encoded.
"""

import asyncio
import sys
from typing import Any, Final
from uuid import UUID

import asyncpg
import uvloop

from benchmarks.counter import NOTE
from benchmarks.writers import CONNECTIONS, Write, told, working
from shared.eventsourcing.append import APPEND
from shared.eventsourcing.identifiers import uuid7

_TABLE: Final = """create table bare_events (
    position bigint generated always as identity primary key, stream text not null, version integer not null,
    event_id uuid not null, type text not null, data text not null, metadata text not null,
    recorded_at timestamptz not null default now())"""
_INSERT: Final = (
    "insert into bare_events (stream, version, event_id, type, data, metadata) values ($1, $2, $3, $4, $5, $6)"
)
_TYPE: Final = "trellis.benchmark.Counted.v1"
_DATA: Final = f'{{"number":1,"note":"{NOTE}"}}'
_METADATA: Final = (
    '{"occurred_at":"2026-01-01T00:00:00+00:00","actor":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",'
    '"command_id":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","correlation_id":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}'
)
_CALLER: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_ANSWER: Final = '{"stream": "counter-0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", "body": {}}'


class Merged:
    """One connection, one statement at a time; who came meanwhile shares the next."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, _writer: int, _number: int) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._together())
        await done

    async def _together(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await self._connection.fetch(APPEND, *_columns([uuid7() for _ in group]))
            for done in group:
                done.set_result(None)


def _columns(ids: list[UUID]) -> list[list[Any]]:
    n, streams = len(ids), [f"counter-{one}" for one in ids]
    events = [streams, [1] * n, ids, [_TYPE] * n, [_DATA] * n, [_METADATA] * n]
    keys = [streams, [_CALLER] * n, ["POST /counters"] * n, [str(one) for one in ids], [b"h" * 32] * n, [_ANSWER] * n]
    return [streams, [0] * n, [1] * n, *events, *keys]


async def main(how: str, dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=CONNECTIONS) as pool:
        write = await (_merged(pool) if how == "merged" else _single(pool))

        async def run(task: dict[str, Any]) -> float:
            return await working(write, writers=task["writers"], seconds=task["seconds"])

        await told(run)


async def _single(pool: Any) -> Write:
    await pool.execute(_TABLE)

    async def insert(_writer: int, _number: int) -> None:
        stream = uuid7()
        await pool.execute(_INSERT, f"counter-{stream}", 1, stream, _TYPE, _DATA, _METADATA)

    return insert


async def _merged(pool: Any) -> Write:
    return Merged(await pool.acquire()).write


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
