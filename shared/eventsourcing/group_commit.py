"""Group commit: the concurrent commands of one process share one append statement, one flush and one commit."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from shared.eventsourcing.database import is_transient
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.store import Append, EventStore, Head, KeyTaken

LARGEST_GROUP: Final = 200
"""Commands in one statement at most: what is beyond waits for the next."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    head: "asyncio.Future[Head | None]"


class GroupCommit:
    """Appends whatever has come meanwhile as soon as the statement before it is done: nobody waits for company.

    A conflict or failure of one command never touches its neighbours; a caller that goes away takes nobody along.
    """

    def __init__(self, store: EventStore, *, largest: int = LARGEST_GROUP) -> None:
        self._store = store
        self._largest = largest
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def append(self, append: Append) -> Head | None:
        """Where the stream stands after the append; None: it had moved before, or the idempotency key was taken.

        Raises:
            KeyTaken: the idempotency key was stored by somebody else at this very moment.
            Conflict: the database ended a deadlock.
            Exception: whatever the statement failed with; nothing was appended, unless the connection was lost.
        """
        head: asyncio.Future[Head | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(append, head))
        if self._writer is None or self._writer.done():
            nobodys = contextvars.Context()  # what a log line or a trace says of one command is not true of the group
            self._writer = asyncio.create_task(self._write(), name="group commit", context=nobodys)
        return await head

    async def _write(self) -> None:
        while group := self._next_group():
            await self._append_together(group)

    def _next_group(self) -> list[_Waiting]:
        """At most one command of a stream and of an idempotency key; whose caller has gone is left out."""
        group: list[_Waiting] = []
        taken: set[object] = set()
        later: list[_Waiting] = []
        while self._waiting and len(group) < self._largest:
            waiting = self._waiting.popleft()
            names = {waiting.append.stream, waiting.append.key} - {None}
            if waiting.head.cancelled():
                continue
            (later if names & taken else group).append(waiting)
            taken |= names
        self._waiting.extendleft(reversed(later))
        return group

    async def _append_together(self, group: Sequence[_Waiting]) -> None:
        try:
            async with self._store.engine.connect() as connection:
                heads = await self._store.append(connection, [waiting.append for waiting in group])
        except (KeyTaken, Conflict, asyncpg.PostgresError) as error:
            if len(group) == 1 or is_transient(error):
                _fail(group, error)
                return
            for waiting in group:  # the server rolled all of it back: each is tried for itself
                await self._append_together([waiting])
        except BaseException as error:  # whether it was stored is not known: to try again could store it twice
            _fail(group, error)
            if not isinstance(error, Exception):
                _fail(self._waiting, error)
                raise
        else:
            for waiting in group:
                if not waiting.head.done():
                    waiting.head.set_result(heads.get(waiting.append.stream))


def _fail(group: Sequence[_Waiting] | deque[_Waiting], error: BaseException) -> None:
    for waiting in group:
        if not waiting.head.done():
            waiting.head.set_exception(error)
