"""Group commit: the concurrent commands of one process share one append statement, one flush and one commit."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from shared.eventsourcing.append import Append, Key
from shared.eventsourcing.database import borrowed, is_transient
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.store import EventStore, Head, KeyTaken

LARGEST_GROUP: Final = 200
"""Commands in one statement at most: what is beyond waits for the next."""
_LARGE_GROUP: Final = 1_000_000
"""Characters of events after which a group takes no more: a statement must end within the command timeout."""
AT_ONCE: Final = 2
"""Groups under way at most: while the database writes the one, this process decides and answers the other."""
_UNDIVIDED: Final = 8
"""Commands that are not worth two statements."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    append: Append
    head: "asyncio.Future[Head | None]"

    @property
    def size(self) -> int:
        return sum(len(event.data) for event in self.append.events)

    @property
    def names(self) -> set[str | Key | None]:
        """What no other command of the statements under way may have."""
        return {self.append.stream, self.append.key} - {None}


class GroupCommit:
    """Appends whatever has come meanwhile as soon as a statement before it is done: nobody waits for company.

    A conflict or failure of one command never touches its neighbours; a caller that goes away takes nobody along.
    """

    def __init__(self, store: EventStore, *, largest: int = LARGEST_GROUP, at_once: int = AT_ONCE) -> None:
        self._store = store
        self._largest = largest
        self._waiting: deque[_Waiting] = deque()
        self._writers: list[asyncio.Task[None] | None] = [None] * at_once
        self._under_way: list[list[_Waiting]] = [[] for _ in range(at_once)]  # the group of each writer

    async def append(self, append: Append) -> Head | None:
        """Where the stream stands after the append; None: it had moved before, or the idempotency key was taken.

        Raises:
            KeyTaken: the idempotency key was stored by somebody else at this very moment.
            Conflict: the database ended a deadlock.
            Exception: whatever the statement failed with; nothing was appended, unless the connection was lost.
        """
        head: asyncio.Future[Head | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(append, head))
        self._wake_a_writer()
        return await head

    def _wake_a_writer(self) -> None:
        for number, writer in enumerate(self._writers):
            if writer is None or writer.done():
                nobodys = contextvars.Context()  # what a log line or a trace says of one command is not true of a group
                writing = asyncio.create_task(self._write(number), name="group commit", context=nobodys)
                self._writers[number] = writing
                return

    async def _write(self, number: int) -> None:
        """Groups until nobody waits, on one connection: to take one for each costs the group as much as a command."""
        while group := self._next_group(number):
            try:
                async with borrowed(self._store.engine) as connection:
                    while group and await self._append_together(connection, group):
                        await asyncio.sleep(0)  # who was answered may have come again: to leave them out costs a group
                        group = self._next_group(number)
                    if group:
                        connection.terminate()  # it may be lost: nobody else is to get it from the pool
            except Exception as error:  # noqa: BLE001 - there is no connection: who waited for one is told
                _fail(group, error)
            except BaseException as error:  # this task itself is being ended
                _fail([*group, *self._waiting], error)
                raise

    def _next_group(self, number: int) -> list[_Waiting]:
        """At most one command of a stream and of an idempotency key; whose caller has gone is left out."""
        group: list[_Waiting] = []
        self._under_way[number] = group
        taken = set[str | Key | None]().union(*(waiting.names for others in self._under_way for waiting in others))
        later: list[_Waiting] = []
        most, size = self._share(), 0
        while self._waiting and len(group) < most and size < _LARGE_GROUP:
            waiting = self._waiting.popleft()
            if waiting.head.cancelled():
                continue
            (later if waiting.names & taken else group).append(waiting)
            taken |= waiting.names
            size += waiting.size
        self._waiting.extendleft(reversed(later))
        return group

    def _share(self) -> int:
        """How many of those who wait one group takes: it leaves the other writers theirs."""
        every = len(self._waiting) + sum(map(len, self._under_way))
        return min(self._largest, max(_UNDIVIDED, -(-every // len(self._writers))))

    async def _append_together(self, connection: Any, group: Sequence[_Waiting]) -> bool:
        """Append the group and tell its callers; whether the connection is good for another."""
        try:
            heads = await self._store.append_directly(connection, [waiting.append for waiting in group])
        except (KeyTaken, Conflict, asyncpg.PostgresError) as error:
            if len(group) > 1 and not is_transient(error):
                return await self._append_each(connection, group)
            _fail(group, error)
            return not is_transient(error)
        except Exception as error:  # noqa: BLE001 - whether it was stored is not known: a second try could double it
            _fail(group, error)
            return False
        for waiting in group:
            if not waiting.head.done():
                waiting.head.set_result(heads.get(waiting.append.stream))
        return True

    async def _append_each(self, connection: Any, group: Sequence[_Waiting]) -> bool:
        """The server rolled all of it back: each is tried for itself.

        Who stands behind one whose connection was lost was not sent again, and is the first to be on another.
        """
        for tried, waiting in enumerate(group, start=1):
            if not await self._append_together(connection, [waiting]):
                self._waiting.extendleft(reversed(group[tried:]))
                return False
        return True


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in group:
        if not waiting.head.done():
            waiting.head.set_exception(error)
