"""A service's timers over HTTP, for administrators: how they stand, which failed and why; try one again, rebuild."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from shared.eventsourcing.decider import RequestBody
from shared.eventsourcing.timers import failed_timers, rebuild_timers, retry, timer_status
from shared.runtime.authorization import ADMINISTER, ADMINISTRATION, needs
from shared.runtime.http import AtEdge
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.values import ShortText


class RetryTimer(RequestBody):
    """The timer's name and its stream, as they are listed."""

    name: ShortText
    stream: ShortText


def timer_routes(runtime: Runtime) -> APIRouter:
    """The routes under `/<service>/v1/admin/timers`."""
    routes = APIRouter(prefix="/timers")

    @routes.get("", summary="Whether and how many timers are kept, and those that failed with their cause")
    @needs("administration", ADMINISTER)
    async def list_timers(edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        failed = [asdict(timer) for timer in await failed_timers(runtime.engine)]
        kept = {"kept": runtime.timers is not None}
        return {**kept, **asdict(await timer_status(runtime.engine, edge.now)), "items": failed}

    @routes.post("/retry", status_code=202, summary="Let a timer that failed fire again at once")
    @needs("administration", ADMINISTER)
    async def retry_timer(body: RetryTimer, edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        if not await retry(runtime.engine, body.name, body.stream):
            raise not_found("failed timer", f"{body.name} of {body.stream}")
        return {"name": body.name, "stream": body.stream, "state": "due"}

    @routes.post("/rebuild", status_code=202, summary="Forget the timers and set them again from the events")
    @needs("administration", ADMINISTER)
    async def rebuild(edge: AtEdge) -> dict[str, Any]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        if runtime.timers is None:
            raise not_found("timers of", runtime.service.name)
        await rebuild_timers(runtime.engine)
        return {"state": "rebuilding"}

    return routes
