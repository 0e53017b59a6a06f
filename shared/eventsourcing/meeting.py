"""A meeting: the serving reader is held for a moment until a build stands at the same positions."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.builds import Build
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.follower import comparable

_HELD_SECONDS: Final = 1.5
"""How long the serving reader may be held; queries go on meanwhile, and see what they saw."""
_LOOK_SECONDS: Final = 0.005
_STILL_BUILDING: Final = text(
    "select 1 from builds where projection = :projection and build = :build and state = 'building' for update"
)
_LOCK: Final = text("select 1 from checkpoints where reader = :reader order by topic, partition for update")


class NotNow(Exception):  # noqa: N818 - the word of the field
    """Not this time; it is tried again. The message says what was in the way."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One partition: how far what serves is, and how far the build."""

    serving: Checkpoint
    building: Checkpoint

    @property
    def comparable(self) -> bool:
        return comparable(self.serving, self.building)

    @property
    def met(self) -> bool:
        return self.serving.position == self.building.position

    @property
    def read(self) -> int:
        """Records that the build has read."""
        return max(0, self.building.next_offset)

    @property
    def total(self) -> int:
        """Records that it has to read, as far as is known."""
        return max(self.serving.next_offset, self.read)


async def pairs(connection: AsyncConnection, build: Build) -> list[Pair]:
    """Every partition of what serves and of the build; none of a build that is gone."""
    serving = await checkpoints.read(connection, build.projection)
    building = {(c.topic, c.partition): c for c in await checkpoints.read(connection, build.name)}
    return [Pair(c, building[c.topic, c.partition]) for c in serving if (c.topic, c.partition) in building]


@asynccontextmanager
async def meeting(engine: AsyncEngine, build: Build) -> AsyncGenerator[tuple[AsyncConnection, Sequence[Pair]]]:
    """Within the block the serving reader is held, and the build stands where it stands, in every comparable partition.

    The block's transaction is committed behind it, or rolled back if it raises.

    Raises:
        NotNow: the build did not get there in time, or it is not being filled any more.
    """
    async with engine.begin() as connection:
        key = {"projection": build.projection, "build": build.build}
        if (await connection.execute(_STILL_BUILDING, key)).one_or_none() is None:
            raise NotNow(f"{build.name} is not being filled any more")
        await connection.execute(_LOCK, {"reader": build.projection})
        await _until_met(connection, build)
        yield connection, await pairs(connection, build)


async def _until_met(connection: AsyncConnection, build: Build) -> None:
    deadline = time.monotonic() + _HELD_SECONDS
    while apart := [pair for pair in await pairs(connection, build) if pair.comparable and not pair.met]:
        if time.monotonic() > deadline:
            where = apart[0].serving
            raise NotNow(f"not caught up within {_HELD_SECONDS} s in {where.topic}/{where.partition}")
        await asyncio.sleep(_LOOK_SECONDS)


async def hold_build(connection: AsyncConnection, build: Build) -> list[Checkpoint]:
    """Hold the build's reader too: when this returns, it applies nothing more. Where it has stopped."""
    await connection.execute(_LOCK, {"reader": build.name})
    return [checkpoint for checkpoint in await checkpoints.read(connection, build.name) if checkpoint.stopped]
