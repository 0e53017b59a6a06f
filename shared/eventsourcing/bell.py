"""A bell between those who append and the relay: it need not be asleep when there is something to publish.

Nothing depends on it. A ring is sent behind the commit and may be lost; the relay looks by itself now and then.
(Measured: NOTIFY in the append's own transaction costs 40 to 60 percent of the appends.)
"""

import asyncio
import contextvars
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import borrowed, driver

_CHANNEL: Final = "appended"
_REST_SECONDS: Final = 0.03
"""Between two rings of one process: under load the relay is awake anyway, and larger chunks cost less."""


class Bell:
    """Rung by a process that appends; whoever rings waits for nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._again = False
        self._ringing: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Something was committed. What comes while the bell rests is rung for once, when it has rested."""
        self._again = True
        if self._ringing is None or self._ringing.done():
            nobodys = contextvars.Context()  # what a log line says of one command is not true of the others
            self._ringing = asyncio.create_task(self._ring(), name="bell", context=nobodys)

    async def _ring(self) -> None:
        while self._again:
            self._again = False
            with suppress(SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                async with borrowed(self._engine) as connection:
                    await connection.execute(f"notify {_CHANNEL}")
            await asyncio.sleep(_REST_SECONDS)

    async def close(self) -> None:
        """Ring no more."""
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.wait([self._ringing])


@asynccontextmanager
async def heard(engine: AsyncEngine) -> AsyncGenerator[asyncio.Event]:
    """Within the block the event is set by every ring; who waits for it clears it."""
    rung = asyncio.Event()

    def on_ring(*_: Any) -> None:
        rung.set()

    async with engine.connect() as connection:
        raw = await driver(connection)
        await raw.add_listener(_CHANNEL, on_ring)
        try:
            yield rung
        finally:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await raw.remove_listener(_CHANNEL, on_ring)
