"""`python -m benchmarks.merged_append`: what PostgreSQL and asyncpg take for events that are written already.

Told by JSON on its input, it appends the newest events of one log to another, each to a new stream, `times` over. Our
append statement does it, heads, barrier and indexes included, `at_once` to a statement. Nothing is loaded, decided or
encoded.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import uvloop

from shared.eventsourcing.append import APPEND
from shared.eventsourcing.identifiers import derived, stream_name, uuid7

_NEWEST: Final = "select type, data, metadata from events order by position desc limit $1"


async def appended(task: dict[str, Any]) -> dict[str, Any]:
    """The task's connections share the statements; the seconds from the first to the last commit."""
    source = await asyncpg.connect(task["from"])
    events = task["times"] * await source.fetch(_NEWEST, task["events"])
    await source.close()
    run, at_once = uuid7(), task["at_once"]
    named = [(stream_name("review", derived("raw", run, number)), event) for number, event in enumerate(events)]
    statements = iter([_columns(sorted(named[at : at + at_once])) for at in range(0, len(named), at_once)])
    connections = [await asyncpg.connect(task["to"]) for _ in range(task["connections"])]
    for connection in connections:
        await connection.fetch(APPEND, *_columns([]))  # prepared
    began = time.perf_counter()
    await asyncio.gather(*(_work(connection, statements) for connection in connections))
    taken = time.perf_counter() - began
    await asyncio.gather(*(connection.close() for connection in connections))
    return {"seconds": taken, "events": len(events)}


async def _work(connection: Any, statements: Any) -> None:
    for columns in statements:
        await connection.fetch(APPEND, *columns)


def _columns(named: Sequence[tuple[str, Any]]) -> list[list[Any]]:
    streams = [stream for stream, _ in named]
    count = len(named)
    return [
        streams,
        [0] * count,
        [1] * count,
        streams,
        [1] * count,
        [uuid7() for _ in named],
        *([event[column] for _, event in named] for column in ("type", "data", "metadata")),
        *([] for _ in range(6)),
    ]


if __name__ == "__main__":
    print(json.dumps(uvloop.run(appended(json.load(sys.stdin)))))
