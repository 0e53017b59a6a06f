"""A worker process over HTTP: its health, its status, its metrics."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.runtime.metrics import Metrics, metrics_route
from shared.runtime.metrics_port import metrics_port
from shared.runtime.worker import Worker
from shared.runtime.worker_status import status


def create_worker(worker: Worker) -> Starlette:
    """The worker as an ASGI application: it answers probes while its parts are still starting."""
    metrics = Metrics(worker.runtime, worker)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with metrics_port(metrics, worker.runtime.settings):
            await worker.start()
            yield
            await worker.stop()
        await worker.runtime.close()

    async def live(_request: Request) -> Response:
        stalled = worker.stalled()
        body = {"status": "stalled" if stalled else "live", "reasons": stalled}
        return JSONResponse(body, status_code=503 if stalled else 200)

    async def ready(_request: Request) -> Response:
        waiting = worker.not_ready()
        body = {"status": "not-ready" if waiting else "ready", "reasons": waiting}
        return JSONResponse(body, status_code=503 if waiting else 200)

    async def show_status(_request: Request) -> Response:
        return Response(json.dumps(await status(worker)), media_type="application/json")

    probes = [Route("/health/live", live), Route("/health/ready", ready), Route("/status", show_status)]
    return Starlette(routes=[*probes, metrics_route(metrics)], lifespan=lifespan)
