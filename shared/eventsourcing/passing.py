"""Passing over: readers of one process that have nothing to apply move their checkpoints together."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.checkpoints import Move


@dataclass(frozen=True, slots=True)
class _Asked:
    reader: str
    moves: Sequence[Move]
    done: asyncio.Future[bool]


class Passing:
    """One statement at a time; what is asked for while it runs goes into the next."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._asked: list[_Asked] = []
        self._running: asyncio.Task[None] | None = None

    async def over(self, reader: str, moves: Sequence[Move]) -> bool:
        """Move these checkpoints; False: not all of them stand where they were thought to.

        Raises:
            Exception: the database did not do it; no row was moved.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(reader, moves, done))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(), name="passing")
        return await done

    async def _run(self) -> None:
        while self._asked:
            together, self._asked = self._asked, []
            try:
                moved = await checkpoints.pass_over(self._engine, [(one.reader, one.moves) for one in together])
            except Exception as error:  # noqa: BLE001 - it is theirs who asked
                for one in together:
                    if not one.done.done():  # else who asked has been cancelled
                        one.done.set_exception(error)
            else:
                asked = Counter(one.reader for one in together for _ in one.moves)
                for one in together:
                    if not one.done.done():
                        one.done.set_result(moved[one.reader] == asked[one.reader])
