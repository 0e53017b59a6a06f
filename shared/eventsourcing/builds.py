"""Builds of a projection: the one that serves, one that is being filled beside it, and one that is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import build_tables, checkpoints, dead_letters
from shared.eventsourcing.projection import Projection
from shared.schemas.identifiers import PersonId

State: TypeAlias = Literal["serving", "building", "kept", "cancelled", "dropped"]
Kind: TypeAlias = Literal["first", "rebuild", "rollback"]

_FIRST: Final = text(
    "insert into builds (projection, build, version, state, kind) "
    "values (:projection, 1, :version, 'serving', 'first') on conflict do nothing"
)
_ROWS: Final = (
    "select projection, build, version, state, kind, require_equal, requested_by, requested_at, changed_at, trouble, "
    "comparison from builds"
)
_ALL: Final = f"{_ROWS} where projection = :projection order by build"
_LOCK: Final = text("select 1 from builds where projection = :projection order by build for update")
_BUILDING: Final = text(f"{_ROWS} where state = 'building' order by projection")
_NEW: Final = text(
    "insert into builds (projection, build, version, state, kind, require_equal, requested_by) "
    "values (:projection, :build, :version, 'building', 'rebuild', :require_equal, :by)"
)
_CHANGE: Final = text(
    "update builds set state = :state, kind = :kind, require_equal = :require_equal, "
    "requested_by = coalesce(:by, requested_by), changed_at = clock_timestamp(), trouble = null "
    "where projection = :projection and build = :build"
)
_REPORT: Final = text(
    "update builds set trouble = :trouble, comparison = coalesce(cast(:comparison as text), comparison) "
    "where projection = :projection and build = :build and state = 'building'"
)
_FORKED: Final = text(
    "select exists (select 1 from checkpoints where reader = :reader and stopped is not null and seen_log_id > log_id)"
)


@dataclass(frozen=True, slots=True)
class Build:
    """One filling of a projection's tables. `version` is that of the projection's code which filled it.

    `trouble` says why one that is being filled does not go on; `comparison` how it differed from what served.
    """

    projection: str
    build: int
    version: int
    state: State
    kind: Kind
    require_equal: bool
    requested_by: UUID | None
    requested_at: datetime
    changed_at: datetime
    trouble: str | None
    comparison: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """Its schema, and its reader, while it does not serve."""
        return f"{self.projection}@{self.build}"


@dataclass(frozen=True, slots=True)
class Builds:
    """All builds of a projection, the oldest first."""

    all: list[Build]

    def in_state(self, state: State) -> Build | None:
        """The one in this state; more than one can only be cancelled or dropped."""
        return next((build for build in reversed(self.all) if build.state == state), None)

    @property
    def serving(self) -> Build:
        found = self.in_state("serving")
        if found is None:
            raise LookupError("a projection always has a build that serves")
        return found


async def read(connection: AsyncConnection, projection: Projection, *, lock: bool = False) -> Builds:
    """The projection's builds. What its migration made is the first, which is written down when first asked for."""
    await connection.execute(_FIRST, {"projection": projection.name, "version": projection.version})
    if lock:  # by itself: a statement that waited for the lock does not see the rows that were added meanwhile
        await connection.execute(_LOCK, {"projection": projection.name})
    rows = (await connection.execute(text(_ALL), {"projection": projection.name})).mappings()
    return Builds([_build(row) for row in rows])


async def being_filled(engine: AsyncEngine) -> list[Build]:
    """The builds of all projections that workers are to fill."""
    async with engine.connect() as connection:
        return [_build(row) for row in (await connection.execute(_BUILDING)).mappings()]


def _build(row: RowMapping) -> Build:
    values: dict[str, Any] = dict(row)
    if values["comparison"] is not None:
        values["comparison"] = json.loads(values["comparison"])
    return Build(**values)


async def begin(
    connection: AsyncConnection, projection: Projection, builds: Builds, *, by: PersonId, require_equal: bool
) -> Build:
    number = builds.all[-1].build + 1
    await connection.execute(
        _NEW,
        {
            "projection": projection.name,
            "build": number,
            "version": projection.version,
            "require_equal": require_equal,
            "by": by,
        },
    )
    begun = (await read(connection, projection)).all[-1]
    await build_tables.copy(connection, projection.tables, begun.name)
    await checkpoints.begin(connection, begun.name, like=projection.name, topics=projection.topics)
    return begun


async def keep_current(engine: AsyncEngine, projection: Projection, build: Build) -> bool:
    """Fill a build from the first event again if a log has forked or the tables were migrated; whether it was so.

    A topic whose log forked is followed from its youngest log on.
    """
    async with engine.begin() as connection:
        known = (await read(connection, projection, lock=True)).in_state("building")
        if known is None or known.build != build.build or await _is_current(connection, projection, build):
            return False
        await checkpoints.reset(connection, build.name)
        await dead_letters.clear(connection, build.name)
        await build_tables.remove(connection, build.name)
        await build_tables.copy(connection, projection.tables, build.name)
        return True


async def _is_current(connection: AsyncConnection, projection: Projection, build: Build) -> bool:
    forked = await connection.scalar(_FORKED, {"reader": build.name})
    return not forked and await has_current_tables(connection, projection, build)


async def has_current_tables(connection: AsyncConnection, projection: Projection, build: Build) -> bool:
    """Whether the build's tables are made as those that serve: a migration changes these alone."""
    serving = await build_tables.shapes(connection, projection.tables, build_tables.SERVING)
    return serving == await build_tables.shapes(connection, projection.tables, build.name)


async def change(
    connection: AsyncConnection, build: Build, state: State, *, kind: Kind | None = None, by: PersonId | None = None
) -> None:
    """Write a build's new state down."""
    await connection.execute(
        _CHANGE,
        {
            "projection": build.projection,
            "build": build.build,
            "state": state,
            "kind": kind or build.kind,
            "require_equal": False,
            "by": by,
        },
    )


async def report(
    engine: AsyncEngine, build: Build, *, trouble: str | None, comparison: Mapping[str, Any] | None = None
) -> None:
    """Say how a build that is being filled stands, for those who watch."""
    async with engine.begin() as connection:
        await connection.execute(
            _REPORT,
            {
                "projection": build.projection,
                "build": build.build,
                "trouble": trouble,
                "comparison": None if comparison is None else json.dumps(comparison),
            },
        )


async def end(connection: AsyncConnection, build: Build, state: State) -> None:
    """The checkpoints go first: their lock waits for the slice in hand, and nothing is applied after it."""
    await checkpoints.end(connection, build.name)
    await dead_letters.clear(connection, build.name)
    await build_tables.remove(connection, build.name)
    await change(connection, build, state)
