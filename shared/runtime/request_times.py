"""How long requests took, by method, route template and status; and the span around each, where traces are on."""

import time
from collections import defaultdict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.eventsourcing.histogram import SECONDS, Histogram
from shared.runtime.tracing import Traces

UNMATCHED: Final = "unmatched"
OPEN: Final = frozenset({"/health/live", "/health/ready"})
"""Probes: they are answered without a token, and are neither timed nor traced."""
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

RequestTimes = defaultdict[tuple[str, str, str], Histogram]
"""A histogram for each (method, route, status)."""


def no_requests() -> RequestTimes:
    return defaultdict(lambda: Histogram(SECONDS))


class TimedRequests:
    """Stands before the gate, so that what it refuses is timed too."""

    def __init__(self, app: ASGIApp, *, times: RequestTimes, traces: Traces) -> None:
        self._app = app
        self._times = times
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
        else:
            with self._traces.request(Headers(scope=scope).get("traceparent")) as span:
                if span is not None:
                    scope.setdefault("state", {})["traceparent"] = span.traceparent
                status = await self._timed(scope, receive, send)
                if span is not None:
                    span.answered(_method(scope), route_of(scope), status)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> int:
        """The answer's status."""
        began, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            self._times[_method(scope), route_of(scope), str(status)].observe(time.perf_counter() - began)
        return status


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def route_of(scope: Scope) -> str:
    """The template of the route that a request met, such as `/goals/{goal}`: never the address itself."""
    return getattr(scope.get("route"), "path", UNMATCHED)
