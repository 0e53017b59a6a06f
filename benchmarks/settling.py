"""When everything that a service stored has been published, and applied by every reader of its own topic."""

import asyncio
import time
from typing import Final

import asyncpg

_LOOK_AGAIN_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 300.0
_PUBLISHED: Final = "select log.position >= (select coalesce(max(position), 0) from events) from log"
_APPLIED: Final = """select not exists (
    select from checkpoints c join chain using (partition) where c.topic = $1 and c.position < chain.position)"""


async def published(connection: asyncpg.Connection) -> float:
    """The moment (`time.perf_counter`) when the relay had sent all that is stored."""
    return await _until(connection, _PUBLISHED)


async def settled(connection: asyncpg.Connection, topic: str) -> float:
    """The moment when the slowest reader had applied all that is stored."""
    await published(connection)
    return await _until(connection, _APPLIED, topic)


async def _until(connection: asyncpg.Connection, query: str, *arguments: str) -> float:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await connection.fetchval(query, *arguments):  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return time.perf_counter()
