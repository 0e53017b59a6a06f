"""Recent states: what is asked with every request and changes seldom, read from the store about once a second."""

import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.decider import Decider
from shared.eventsourcing.decision import Load
from shared.eventsourcing.identifiers import stream_name

State = TypeVar("State")


class RecentStates:
    """The states of a few streams, each with the moment when it was last asked for."""

    def __init__(self, engine: AsyncEngine, load: Load, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._engine = engine
        self._load = load
        self._known: dict[str, tuple[float, Any]] = {}
        self._reading: dict[str, object] = {}

    async def state(self, decider: Decider[State], identity: UUID, *, seconds: float = 1.0) -> State:
        """The state as it was at most so many seconds ago, or newer; what this process appended is always in it.

        Whoever finds it older reads it; the others go on with what is known meanwhile.
        """
        stream, now = stream_name(decider.category, identity), self._clock()
        if (known := self._known.get(stream)) is not None:
            asked_at, state = known
            if now - asked_at < seconds:
                return state
            self._known[stream] = (now, state)
        reading = self._reading[stream] = object()
        async with self._engine.connect() as connection:
            state = (await self._load(connection, decider, identity)).state
        if self._reading.get(stream) is reading:  # else it may be older than what was appended meanwhile
            self._known[stream] = (now, state)
        return state

    def forget(self, stream: str) -> None:
        """This process has appended to the stream; a read that has begun may not know of it yet."""
        self._known.pop(stream, None)
        self._reading.pop(stream, None)
