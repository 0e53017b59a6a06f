"""Read your writes: a query waits until its read model has reached the position that a command answered with."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.database import borrowed
from shared.eventsourcing.errors import NotCaughtUp

WAIT_SECONDS: Final = 3.0
_FIRST_POLL_SECONDS, _POLL_SECONDS = 0.002, 0.01
_SOON_SECONDS: Final = 0.03
"""A read model on its way takes about that long; whoever waits longer asks less often."""
_REACHED: Final = "select partition, position from checkpoints where reader = $1 and topic = $2 and partition = any($3)"


async def wait_for(
    engine: AsyncEngine, reader: str, topic: str, positions: Mapping[int, int], *, seconds: float = WAIT_SECONDS
) -> None:
    """Return once the reader has applied, of each given partition of the topic, the given position.

    Raises:
        NotCaughtUp: it has not, within `seconds`.
    """
    began = time.monotonic()
    missing = dict(positions)
    while missing:
        async with borrowed(engine) as connection:
            reached: dict[int, int] = dict(await connection.fetch(_REACHED, reader, topic, list(missing)))
        missing = {p: wanted for p, wanted in missing.items() if reached.get(p, 0) < wanted}
        waited = time.monotonic() - began
        if missing and waited > seconds:
            partition, wanted = next(iter(missing.items()))
            raise NotCaughtUp(reader, partition=partition, wanted=wanted, reached=reached.get(partition, 0))
        if missing:
            await asyncio.sleep(_FIRST_POLL_SECONDS if waited < _SOON_SECONDS else _POLL_SECONDS)
