"""A port of its own for /metrics: the inside of a cluster reads it without a token, and nobody else can reach it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from shared.runtime.metrics import Metrics, metrics_route
from shared.runtime.settings import Settings

_ANSWER_SECONDS: Final = 1
"""How long who asks when the process ends may wait for an answer."""


class _BesideAnother(uvicorn.Server):
    """A server beside the process's own, which alone listens for signals."""

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return contextlib.nullcontext()


@contextlib.asynccontextmanager
async def metrics_port(metrics: Metrics, settings: Settings) -> AsyncGenerator[None]:
    """Serve /metrics at `settings.metrics_port` within the block; nothing where the setting is not given.

    Raises:
        OSError: the port is taken.
    """
    if settings.metrics_port is None:
        yield
        return
    listening = socket.create_server((settings.http_host, settings.metrics_port))
    app = Starlette(routes=[metrics_route(metrics)])
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_ANSWER_SECONDS
    )
    server = _BesideAnother(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listening.close()
