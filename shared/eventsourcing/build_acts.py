"""What may be asked of a projection's builds: rebuild, roll back, accept, cancel, drop; or it is refused."""

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import builds
from shared.eventsourcing.builds import Build, Builds
from shared.eventsourcing.projection import Projection
from shared.schemas.identifiers import SYSTEM, PersonId


class Refused(Exception):  # noqa: N818 - the word of the field
    """An act on a projection's builds that makes no sense as they stand; nothing was changed. `rule` is stable."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


async def request(engine: AsyncEngine, projection: Projection, *, by: PersonId, require_equal: bool = False) -> Build:
    """Begin a new build beside the one that serves; workers fill it.

    Raises:
        Refused: one is being filled already.
    """
    async with engine.begin() as connection:
        known = await builds.read(connection, projection, lock=True)
        _refuse_while_building(known)
        return await builds.begin(connection, projection, known, by=by, require_equal=require_equal)


async def announce(engine: AsyncEngine, projection: Projection) -> Build | None:
    """What a worker does at its start: code of a newer version than what serves begins a build of it."""
    async with engine.begin() as connection:
        known = await builds.read(connection, projection, lock=True)
        building = known.in_state("building")
        if known.serving.version >= projection.version or (building and building.version >= projection.version):
            return None
        if building:
            await _stop(connection, building)
        return await builds.begin(connection, projection, known, by=SYSTEM, require_equal=False)


async def roll_back(engine: AsyncEngine, projection: Projection, *, by: PersonId) -> Build:
    """Let the kept build catch up and serve again.

    Raises:
        Refused: nothing is kept, one is being filled, or its code or its tables are not those of today.
    """
    async with engine.begin() as connection:
        known = await builds.read(connection, projection, lock=True)
        _refuse_while_building(known)
        kept = _kept(known, projection)
        if kept.version != projection.version:
            raise Refused(
                "version-differs",
                f"The kept build {kept.name} was filled by version {kept.version}, and this service runs version "
                f"{projection.version}: deploy the older release first, then roll back.",
            )
        if not await builds.has_current_tables(connection, projection, kept):
            raise Refused(
                "tables-changed", f"The tables have been migrated since {kept.name} was kept: rebuild instead."
            )
        await builds.change(connection, kept, "building", kind="rollback", by=by)
        return kept


async def accept(engine: AsyncEngine, projection: Projection, *, by: PersonId) -> Build:
    """Let a build serve although it differs from the one that does.

    Raises:
        Refused: none is being filled.
    """
    async with engine.begin() as connection:
        building = _building(await builds.read(connection, projection, lock=True), projection)
        await builds.change(connection, building, "building", by=by)
        return building


async def cancel(engine: AsyncEngine, projection: Projection) -> Build:
    """Stop filling a build and drop it; one that was kept before is kept again.

    Raises:
        Refused: none is being filled.
    """
    async with engine.begin() as connection:
        building = _building(await builds.read(connection, projection, lock=True), projection)
        await _stop(connection, building)
        return building


async def _stop(connection: AsyncConnection, building: Build) -> None:
    if building.kind == "rollback":
        await builds.change(connection, building, "kept")
    else:
        await builds.end(connection, building, "cancelled")


async def drop(engine: AsyncEngine, projection: Projection) -> Build:
    """Drop the kept build.

    Raises:
        Refused: nothing is kept.
    """
    async with engine.begin() as connection:
        kept = _kept(await builds.read(connection, projection, lock=True), projection)
        await builds.end(connection, kept, "dropped")
        return kept


def _refuse_while_building(known: Builds) -> None:
    building = known.in_state("building")
    if building is not None:
        raise Refused(
            "rebuild-is-running",
            f"A {building.kind} of {building.projection} is running (build {building.build}, since "
            f"{building.changed_at:%Y-%m-%d %H:%M:%S %Z}): `trellis projections watch` shows it, "
            "`trellis projections cancel` stops it.",
        )


def _building(known: Builds, projection: Projection) -> Build:
    building = known.in_state("building")
    if building is None:
        raise Refused("no-rebuild-is-running", f"No rebuild of {projection.name} is running.")
    return building


def _kept(known: Builds, projection: Projection) -> Build:
    kept = known.in_state("kept")
    if kept is None:
        raise Refused("nothing-is-kept", f"Nothing is kept of {projection.name}.")
    return kept
