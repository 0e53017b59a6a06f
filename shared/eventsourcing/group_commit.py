"""Group commit: the concurrent commands of one process share one append statement, one flush and one commit."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.database import is_transient
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.store import Append, EventStore, Head, KeyTaken

LARGEST_GROUP: Final = 200
"""Commands in one statement at most: what is beyond waits for the next."""
_LARGE_GROUP: Final = 1_000_000
"""Characters of events after which a group takes no more: a statement must end within the command timeout."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    head: "asyncio.Future[Head | None]"

    @property
    def size(self) -> int:
        return sum(len(event.data) for event in self.append.events)


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
        """Groups until nobody waits, on one connection: to take one for each costs the group as much as a command."""
        while group := self._next_group():
            try:
                async with self._store.engine.connect() as connection:
                    while group and await self._append_together(connection, group):
                        group = self._next_group()
                    if group:
                        await connection.invalidate()  # it may be lost: nobody else is to get it from the pool
            except Exception as error:  # noqa: BLE001 - there is no connection: who waited for one is told
                _fail(group, error)
            except BaseException as error:  # this task itself is being ended
                _fail([*group, *self._waiting], error)
                raise

    def _next_group(self) -> list[_Waiting]:
        """At most one command of a stream and of an idempotency key; whose caller has gone is left out."""
        group: list[_Waiting] = []
        taken: set[object] = set()
        later: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < self._largest and size < _LARGE_GROUP:
            waiting = self._waiting.popleft()
            names = {waiting.append.stream, waiting.append.key} - {None}
            if waiting.head.cancelled():
                continue
            (later if names & taken else group).append(waiting)
            taken |= names
            size += waiting.size
        self._waiting.extendleft(reversed(later))
        return group

    async def _append_together(self, connection: AsyncConnection, group: Sequence[_Waiting]) -> bool:
        """Append the group and tell its callers; whether the connection is good for another."""
        try:
            heads = await self._store.append(connection, [waiting.append for waiting in group])
        except (KeyTaken, Conflict, asyncpg.PostgresError) as error:
            if len(group) > 1 and not is_transient(error):  # the server rolled all of it back: each is tried for itself
                return all([await self._append_together(connection, [waiting]) for waiting in group])
            _fail(group, error)
            return not is_transient(error)
        except Exception as error:  # noqa: BLE001 - whether it was stored is not known: a second try could double it
            _fail(group, error)
            return False
        for waiting in group:
            if not waiting.head.done():
                waiting.head.set_result(heads.get(waiting.append.stream))
        return True


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in group:
        if not waiting.head.done():
            waiting.head.set_exception(error)
