"""How long requests took, by method, route template and status."""

import time
from collections import defaultdict
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.eventsourcing.histogram import SECONDS, Histogram

UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

RequestTimes = defaultdict[tuple[str, str, str], Histogram]
"""A histogram for each (method, route, status)."""


def no_requests() -> RequestTimes:
    return defaultdict(lambda: Histogram(SECONDS))


class TimedRequests:
    """Stands before the gate, so that what it refuses is timed too."""

    def __init__(self, app: ASGIApp, *, times: RequestTimes) -> None:
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._times[method, route_of(scope), str(status)].observe(time.perf_counter() - began)


def route_of(scope: Scope) -> str:
    """The template of the route that a request met, such as `/goals/{goal}`: never the address itself."""
    return getattr(scope.get("route"), "path", UNMATCHED)
