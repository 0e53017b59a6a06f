"""Spans by OpenTelemetry's SDK, batched and sent by a thread of its own."""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.eventsourcing.tracing import Kind

_MOST_LINKS: Final = 100
_SERVER_ERROR: Final = 500
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class OtlpTraces:
    """Traces of one process; sampling, headers and batches are the SDK's own settings (OTEL_*)."""

    def __init__(self, service: str) -> None:
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: f"trellis-{service}"}
        self._provider = TracerProvider(resource=Resource.create({**named, "process.pid": os.getpid()}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("trellis")

    @contextmanager
    def span(
        self, name: str, kind: Kind = "internal", *, following: Iterable[str | None] | None = None, events: int = 1
    ) -> Generator[None]:
        """As the kernel's `Tracing` says."""
        contexts = [get_current_span().get_span_context()] if following is None else _sampled(following)
        contexts = [context for context in contexts if context.is_valid]
        if not contexts:
            yield
            return
        single = len({context.trace_id for context in contexts}) == 1
        spanning = self._tracer.start_as_current_span(
            name,
            context=set_span_in_context(NonRecordingSpan(contexts[0] if single else INVALID_SPAN_CONTEXT)),
            kind=SpanKind[kind.upper()],
            links=[] if single else [Link(context) for context in contexts[:_MOST_LINKS]],
            attributes={"trellis.events": events},
            record_exception=False,  # its message may quote what people wrote
            set_status_on_exception=False,
        )
        with spanning as span, _failure_told(span):
            yield

    @contextmanager
    def request(self, traceparent: str | None) -> Generator["OtlpRequestSpan"]:
        """The server's span around a request."""
        with self._tracer.start_as_current_span(
            "request",
            context=_PROPAGATOR.extract({"traceparent": traceparent} if traceparent else {}),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield OtlpRequestSpan(span)

    def flush(self) -> None:
        """Send what is finished."""
        self._provider.shutdown()


class OtlpRequestSpan:
    """A request's span by the SDK."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def answered(self, method: str, route: str, status: int) -> None:
        """The route's template names it, never the address that was asked."""
        self._span.update_name(f"{method} {route}")
        self._span.set_attributes(
            {"http.request.method": method, "http.route": route, "http.response.status_code": status}
        )
        if status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


def _sampled(traceparents: Iterable[str | None]) -> list[SpanContext]:
    """The contexts that were sampled, each once."""
    distinct = dict.fromkeys(traceparent for traceparent in traceparents if traceparent)
    contexts = (get_current_span(_PROPAGATOR.extract({"traceparent": one})).get_span_context() for one in distinct)
    return [context for context in contexts if context.trace_flags.sampled]


@contextmanager
def _failure_told(span: Span) -> Generator[None]:
    try:
        yield
    except Exception as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
