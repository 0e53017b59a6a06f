"""Administration over HTTP, the same in every service: the log and its reactions: status, fork, follow."""

from dataclasses import asdict
from functools import partial
from typing import Any

from fastapi import APIRouter

from shared.eventsourcing import timers
from shared.eventsourcing.administration import follow, fork_log, log_status, reader_status
from shared.eventsourcing.decider import RequestBody
from shared.runtime.authorization import ADMINISTER, ADMINISTRATION, needs
from shared.runtime.dead_letters import dead_letter_routes
from shared.runtime.http import AtEdge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.runtime.timers import timer_routes
from shared.schemas.values import ShortText


class ForkRequest(RequestBody):
    """Why the log is started anew; kept with who did it."""

    reason: ShortText


def administration_routes(runtime: Runtime) -> APIRouter:
    """The routes under `/<service>/v1/admin`, for the role admin alone."""
    routes = APIRouter(prefix="/admin", tags=["administration"])
    engine, service = runtime.engine, runtime.service
    reactions = {reaction.name: partial(follow, engine, reaction.name) for reaction in service.reactions}
    if service.timers is not None:
        reactions[timers.READER] = partial(timers.rebuild_timers, engine)

    @routes.get("/log", summary="How much is stored and how much of it published")
    @needs("administration", ADMINISTER)
    async def show_log(edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        return asdict(await log_status(engine))

    @routes.post("/log/fork", summary="Start a new log from the store, after a restore from backup")
    @needs("administration", ADMINISTER)
    async def fork(body: ForkRequest, edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        return {"log_id": str(await fork_log(engine, actor=edge.caller.person, reason=body.reason))}

    @routes.get("/reactions", summary="The reactions, timers among them, and how far they are")
    @needs("administration", ADMINISTER)
    async def list_reactions(edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        return {"items": [asdict(await reader_status(engine, name)) for name in reactions]}

    @routes.post("/reactions/{name}/follow", status_code=202, summary="Follow the log that a reaction stopped at")
    @needs("administration", ADMINISTER)
    async def follow_log(name: str, edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        if name not in reactions:
            raise not_found("reaction", name)
        await reactions[name]()
        return {"name": name, "state": "following"}

    routes.include_router(dead_letter_routes(runtime))
    routes.include_router(timer_routes(runtime))
    return routes
