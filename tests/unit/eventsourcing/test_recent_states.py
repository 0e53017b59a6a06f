"""Recent states: at most so old, and never without what this process appended."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.decider import Command, Decider
from shared.eventsourcing.decision import Loaded
from shared.eventsourcing.identifiers import stream_name
from shared.eventsourcing.recent_states import RecentStates

A_STREAM = UUID(int=1)


def _nothing(_state: int, _command: Command) -> Sequence[Any]:
    return []


COUNTED: Decider[int] = Decider(category="counted", initial=0, decide=_nothing, evolve=lambda state, _event: state + 1)


class _NoDatabase:
    """Gives connections that nobody uses."""

    def connect(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


async def test_what_was_read_before_an_append_is_not_kept_behind_it() -> None:
    stored, has_read, appended = [1], asyncio.Event(), asyncio.Event()

    async def load(_connection: AsyncConnection, _decider: Decider[Any], _identity: UUID) -> Loaded[Any]:
        state = stored[0]
        has_read.set()
        await appended.wait()
        return Loaded(state, state, state)

    recent = RecentStates(cast("AsyncEngine", _NoDatabase()), load)
    reading = asyncio.create_task(recent.state(COUNTED, A_STREAM))
    await has_read.wait()
    stored[0] = 2
    recent.forget(stream_name("counted", A_STREAM))
    appended.set()
    assert await reading == 1
    assert await recent.state(COUNTED, A_STREAM) == 2
