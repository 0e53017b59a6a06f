"""Projections over HTTP, the same in every service: how far they are, and building one anew beside the old."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import build_acts, builds, checkpoints, dead_letters
from shared.eventsourcing.build_acts import Refused
from shared.eventsourcing.builds import Build
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.decider import RequestBody
from shared.eventsourcing.meeting import pairs
from shared.eventsourcing.projection import Projection
from shared.runtime.authorization import ADMINISTER, ADMINISTRATION, needs
from shared.runtime.http import AtEdge
from shared.runtime.problems import not_found, problem
from shared.runtime.service import Runtime
from shared.runtime.topic_ends import Ends, ends_of


class RebuildRequest(RequestBody):
    """`require_equal`: a build that differs from what serves waits until somebody accepts it."""

    require_equal: bool = False


def projection_routes(runtime: Runtime) -> APIRouter:
    """The routes under `/<service>/v1/admin/projections`, for the role admin alone."""
    routes = APIRouter(prefix="/admin/projections", tags=["administration"])
    engine, projections = runtime.engine, {projection.name: projection for projection in runtime.service.projections}

    def named(name: str, edge: AtEdge) -> Projection:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        if name not in projections:
            raise not_found("projection", name)
        return projections[name]

    @routes.get("", summary="The read models: what serves, what is being built, what is kept, and how far each is")
    @needs("administration", ADMINISTER)
    async def list_projections(edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        ends = await ends_of(runtime.kafka, {topic for p in projections.values() for topic in p.topics})
        return {"items": [await _described(engine, projection, ends) for projection in projections.values()]}

    @routes.get("/{name}", summary="One read model, with all that was ever built of it")
    @needs("administration", ADMINISTER)
    async def show_projection(name: str, edge: AtEdge) -> dict[str, Any]:
        return await _described(engine, named(name, edge), None)

    @routes.post("/{name}/rebuild", status_code=202, summary="Build a read model anew beside the one that serves")
    @needs("administration", ADMINISTER)
    async def rebuild_projection(name: str, edge: AtEdge, body: RebuildRequest | None = None) -> dict[str, Any]:
        projection, require_equal = named(name, edge), body is not None and body.require_equal
        return await _answer(build_acts.request(engine, projection, by=edge.caller.person, require_equal=require_equal))

    @routes.post("/{name}/rollback", status_code=202, summary="Let the kept build catch up and serve again")
    @needs("administration", ADMINISTER)
    async def roll_back_projection(name: str, edge: AtEdge) -> dict[str, Any]:
        return await _answer(build_acts.roll_back(engine, named(name, edge), by=edge.caller.person))

    @routes.post("/{name}/accept", status_code=202, summary="Let a build serve although it differs")
    @needs("administration", ADMINISTER)
    async def accept_build(name: str, edge: AtEdge) -> dict[str, Any]:
        return await _answer(build_acts.accept(engine, named(name, edge), by=edge.caller.person))

    @routes.post("/{name}/cancel", summary="Stop a running rebuild and drop what it has built")
    @needs("administration", ADMINISTER)
    async def cancel_rebuild(name: str, edge: AtEdge) -> dict[str, Any]:
        return await _answer(build_acts.cancel(engine, named(name, edge)))

    @routes.post("/{name}/drop", summary="Drop the kept build")
    @needs("administration", ADMINISTER)
    async def drop_build(name: str, edge: AtEdge) -> dict[str, Any]:
        return await _answer(build_acts.drop(engine, named(name, edge)))

    return routes


async def _answer(act: Awaitable[Build]) -> dict[str, Any]:
    try:
        build = await act
    except Refused as refused:
        raise problem(refused.rule, status=409, title="Not as things stand", detail=str(refused)) from refused
    return {"name": build.projection, "build": build.build}


async def _described(engine: AsyncEngine, projection: Projection, ends: Ends | None) -> dict[str, Any]:
    async with engine.begin() as connection:
        known = await builds.read(connection, projection)
        described = [await _build(connection, build, ends) for build in known.all]
        parked = await dead_letters.count(connection, projection.name)
        serving = await checkpoints.read(connection, projection.name)
    return {
        "name": projection.name,
        "version": projection.version,
        "checkpoints": [asdict(checkpoint) for checkpoint in serving],
        "parked": parked,
        "builds": described,
    }


async def _build(connection: AsyncConnection, build: Build, ends: Ends | None) -> dict[str, Any]:
    """What is known of a build; of those in use also how far they are, in records."""
    reader = build.projection if build.state == "serving" else build.name
    rows = await checkpoints.read(connection, reader)
    return {
        **asdict(build),
        "position": max((row.position for row in rows), default=None),
        "lag": None if ends is None else _lag(rows, ends),
        "stopped": [f"{row.topic}/{row.partition}: {row.stopped}" for row in rows if row.stopped],
        "parked": await dead_letters.count(connection, reader) if rows else 0,
        **(await _progress(connection, build) if build.state == "building" else {}),
    }


async def _progress(connection: AsyncConnection, build: Build) -> Mapping[str, int]:
    standing = await pairs(connection, build)
    return {"read": sum(pair.read for pair in standing), "total": sum(pair.total for pair in standing)}


def _lag(rows: Sequence[Checkpoint], ends: Ends) -> int:
    return sum(max(0, ends.get((row.topic, row.partition), 0) - max(0, row.next_offset)) for row in rows)
