"""Traces over OTLP (HTTP, protobuf), by OpenTelemetry's own variables; without an endpoint the SDK is not loaded."""

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol

from shared.eventsourcing.tracing import OFF, Tracing

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FLUSH_SECONDS: Final = 2.0


class RequestSpan(Protocol):
    """The span of one request."""

    @property
    def traceparent(self) -> str:
        """What the request's events and log lines carry."""
        ...

    def answered(self, method: str, route: str, status: int) -> None:
        """Name the span for its route, now that it is known."""
        ...


class Traces(Tracing, Protocol):
    """Spans of the kernel, and one around each request."""

    def request(self, traceparent: str | None) -> AbstractContextManager[RequestSpan | None]:
        """A span for a request that came with this header; None where nothing is traced."""
        ...

    def flush(self) -> None:
        """Send what is finished, and end."""
        ...


class _NoTraces:
    span = staticmethod(OFF.span)

    def request(self, traceparent: str | None) -> AbstractContextManager[None]:
        del traceparent
        return nullcontext()

    def flush(self) -> None:
        return


NO_TRACES: Final[Traces] = _NoTraces()


def traces_of(service: str) -> Traces:
    """Traces of this process, if it is told where to send them: OTEL_EXPORTER_OTLP_ENDPOINT."""
    if not any(os.environ.get(name) for name in _ENDPOINTS) or os.environ.get("OTEL_SDK_DISABLED", "") == "true":
        return NO_TRACES
    from shared.runtime.otlp import OtlpTraces  # noqa: PLC0415 - loads the SDK

    return OtlpTraces(service)


def flush(traces: Traces) -> None:
    """Send what is left; a collector that does not answer holds the process up for two seconds at most."""
    sending = threading.Thread(target=traces.flush, daemon=True)
    sending.start()
    sending.join(_FLUSH_SECONDS)
