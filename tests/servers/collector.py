"""A collector of traces: an HTTP server that takes OTLP's protobuf and keeps the spans."""

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.servers.issuer import serving


@dataclass(frozen=True, slots=True)
class CollectedSpan:
    """A span as it was sent; ids in hexadecimal, `parent` empty for a root."""

    name: str
    trace: str
    identity: str
    parent: str
    process: int
    links: frozenset[str]


@dataclass(slots=True)
class Collector:
    """What was sent to an address."""

    address: str = ""
    spans: list[CollectedSpan] = field(default_factory=list[CollectedSpan])
    bodies: list[bytes] = field(default_factory=list[bytes])

    async def take(self, request: Request) -> Response:
        """One export."""
        body = await request.body()
        body = gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
        self.bodies.append(body)
        self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        return Response(status_code=200, media_type="application/x-protobuf")

    def named(self, name: str) -> list[CollectedSpan]:
        return [span for span in self.spans if span.name == name]


def _spans(exported: ExportTraceServiceRequest) -> list[CollectedSpan]:
    found: list[CollectedSpan] = []
    for resource in exported.resource_spans:
        process = next(a.value.int_value for a in resource.resource.attributes if a.key == "process.pid")
        found += [
            CollectedSpan(
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                process,
                frozenset(link.trace_id.hex() for link in span.links),
            )
            for scope in resource.scope_spans
            for span in scope.spans
        ]
    return found


@asynccontextmanager
async def collecting() -> AsyncGenerator[Collector]:
    """A collector that answers as long as the block."""
    collector = Collector()
    async with serving(Starlette(routes=[Route("/v1/traces", collector.take, methods=["POST"])])) as address:
        collector.address = address
        yield collector
