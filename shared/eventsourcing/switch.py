"""The switch: a build is compared with what serves, at the same positions, and then takes its place."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import build_tables, builds, checkpoints, dead_letters
from shared.eventsourcing.build_tables import SERVING
from shared.eventsourcing.builds import Build
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.meeting import NotNow, Pair, hold_build, meeting
from shared.eventsourcing.projection import Projection

_OWN_TABLES_SECONDS: Final = 3.0
"""For the build's tables, which no query waits for: autovacuum, which gives way after a second, may be at work."""
_LOCK_NOT_AVAILABLE: Final = "55P03"


async def compare(engine: AsyncEngine, projection: Projection, build: Build) -> Mapping[str, Any]:
    """Both sets of tables as they were at one moment and at the same positions: counts, checksums, and where.

    The serving reader is held only until the snapshot is taken; the checksums are computed after that.

    Raises:
        NotNow: the two could not be met.
    """
    patient = create_engine(engine.url, pool_size=1, patient=True)
    try:
        async with AsyncExitStack() as stack:
            async with meeting(engine, build) as (_, pairs):
                snapshot = await stack.enter_async_context(patient.connect())
                await snapshot.execution_options(isolation_level="REPEATABLE READ")
                await snapshot.execute(text("select 1"))
            return await _compared(snapshot, projection, build, pairs)
    finally:
        await patient.dispose()


async def _compared(
    connection: AsyncConnection, projection: Projection, build: Build, pairs: Sequence[Pair]
) -> Mapping[str, Any]:
    serving = await build_tables.checksums(connection, projection.tables, SERVING)
    building = await build_tables.checksums(connection, projection.tables, build.name)
    apart = [pair.serving for pair in pairs if not pair.comparable]
    return {
        "equal": serving == building and not apart,
        "tables": [
            {
                "name": name,
                "equal": serving[name] == building[name],
                "rows": {"old": serving[name].rows, "new": building[name].rows},
                "checksum": {"old": str(serving[name].sum), "new": str(building[name].sum)},
            }
            for name in serving
        ],
        "positions": {f"{pair.building.topic}/{pair.building.partition}": pair.building.position for pair in pairs},
        "not_comparable": [f"{c.topic}/{c.partition}: {c.stopped or 'follows another log'}" for c in apart],
    }


async def switch(engine: AsyncEngine, projection: Projection, build: Build, *, patience: float) -> float:
    """Let the build serve and keep what served; one that was kept before is dropped. All or nothing.

    Queries wait from the lock of the tables to the commit, and at most `patience` seconds for each lock. Returns for
    how many seconds they may have waited.

    Raises:
        NotNow: the two could not be met, a query holds a table for too long, or the tables have been migrated.
    """
    try:
        async with meeting(engine, build) as (connection, pairs):
            if stopped := await hold_build(connection, build):
                raise NotNow(f"the build stopped at {stopped[0].topic}/{stopped[0].partition}: {stopped[0].stopped}")
            if apart := [pair.serving for pair in pairs if pair.comparable and not pair.met]:
                raise NotNow(f"not at the same position in {apart[0].topic}/{apart[0].partition}")
            locked = await _take_over(connection, projection, build, patience)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise NotNow(f"a query holds a table of {projection.name} for longer than {patience:g} s") from error
        raise
    return time.monotonic() - locked


async def _take_over(connection: AsyncConnection, projection: Projection, build: Build, patience: float) -> float:
    """The tables come last: a query waits for them alone. Returns the moment from which it does."""
    known = await builds.read(connection, projection, lock=True)
    old = known.serving
    if not await builds.has_current_tables(connection, projection, build):
        raise NotNow("the tables have been migrated meanwhile")
    if (kept := known.in_state("kept")) is not None:
        await builds.end(connection, kept, "dropped")
    await builds.change(connection, old, "kept")
    await builds.change(connection, build, "serving")
    await _exchange_readers(connection, projection.name, building=build.name, kept=old.name)
    await connection.execute(text(f"create schema if not exists {build_tables.quoted(old.name)}"))
    await build_tables.lock(connection, projection.tables, build.name, seconds=_OWN_TABLES_SECONDS)
    locked = time.monotonic()
    await build_tables.lock(connection, projection.tables, SERVING, seconds=patience)
    await build_tables.move(connection, projection.tables, source=SERVING, target=old.name)
    await build_tables.move(connection, projection.tables, source=build.name, target=SERVING)
    await build_tables.remove(connection, build.name)
    return locked


async def _exchange_readers(connection: AsyncConnection, serving: str, *, building: str, kept: str) -> None:
    await checkpoints.exchange(connection, serving, building)
    await checkpoints.rename(connection, building, kept)
    await dead_letters.rename(connection, serving, kept)
    await dead_letters.rename(connection, building, serving)
