"""Reruns: a transaction that others were faster than is done again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.eventsourcing.errors import Conflict

_RERUNS: Final = 6

_Done = TypeVar("_Done")


async def rerun_in_conflict(work: Callable[[], Awaitable[_Done]]) -> _Done:
    """Do a transaction again that others were faster than.

    Raises:
        Conflict: they were, several times in a row.
    """
    for rerun in range(_RERUNS):
        try:
            return await work()
        except Conflict:
            if rerun == _RERUNS - 1:
                raise
            await asyncio.sleep(random.uniform(0, 0.005 * 2**rerun))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")
