"""Writers that work at once for some seconds: what a contender of `append` is told, and how it answers.

A contender is a process that reads a line of JSON and answers with one, until its input ends:
`{"way": "new" | "load" | "cold", "writers": 16, "seconds": 0.5}` is answered by `{"per_second": 1234.5}`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

CONNECTIONS: Final = 64
"""To the database: as many as there are ever writers, for every contender."""
STREAMS: Final = 200
"""Made for each run of the ways that load, and written to in turn; no two writers share one."""
EVENTS_BEFORE: Final = 10
"""What each of those streams holds before the run."""

Write: TypeAlias = Callable[[int, int], Awaitable[object]]
"""One command of the writer with this number; which of its commands it is, from 0."""


async def working(write: Write, *, writers: int, seconds: float) -> float:
    """How many commands a second so many writers got through, each waiting for its command before the next."""
    began = time.perf_counter()

    async def one(writer: int) -> int:
        done = 0
        while time.perf_counter() < began + seconds:
            await write(writer, done)
            done += 1
        return done

    done = sum(await asyncio.gather(*(one(writer) for writer in range(writers))))
    return done / (time.perf_counter() - began)


async def told(run: Callable[[dict[str, Any]], Awaitable[float]]) -> None:
    """Run what each line of the input says, and answer it."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps({"per_second": await run(json.loads(line))}), flush=True)
