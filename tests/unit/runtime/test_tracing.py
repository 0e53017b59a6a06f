"""Traces: nothing is loaded while they are off, and a slice of many traces is one span with links."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from shared.runtime.otlp import OtlpTraces
from shared.runtime.tracing import NO_TRACES, traces_of
from tests.servers.collector import Collector, collecting

LOADED = """
import sys
import shared.runtime.process, shared.runtime.worker, shared.runtime.tracing
assert shared.runtime.tracing.traces_of("goals") is shared.runtime.tracing.NO_TRACES
print([name for name in ("opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client") if name in sys.modules])
"""


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
        yield collector


def traceparent(trace: int, *, sampled: bool = True) -> str:
    return f"00-{trace:032x}-{trace:016x}-{int(sampled):02x}"


async def exported(traces: OtlpTraces) -> None:
    await asyncio.to_thread(traces.flush)


def test_without_an_endpoint_neither_the_sdk_nor_the_prometheus_client_is_loaded() -> None:
    command = [sys.executable, "-c", LOADED]
    printed = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"


def test_the_sdk_can_be_switched_off_with_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert traces_of("goals") is NO_TRACES


async def test_a_slice_of_many_traces_is_one_span_with_links(collector: Collector) -> None:
    traces = OtlpTraces("goals")
    followed = [traceparent(n) for n in range(1, 1_001)]
    with traces.span("apply goal_tree", "consumer", following=followed, events=1_000):
        pass
    await exported(traces)
    (span,) = collector.spans
    assert (span.name, span.parent, len(span.links)) == ("apply goal_tree", "", 100)
    assert span.links < {f"{n:032x}" for n in range(1, 1_001)}


async def test_a_slice_of_one_trace_continues_it_and_what_was_not_sampled_counts_for_nothing(
    collector: Collector,
) -> None:
    traces = OtlpTraces("goals")
    followed = [traceparent(7), traceparent(8, sampled=False), None, "broken"]
    with traces.span("one", "consumer", following=followed), traces.span("inside"):
        pass
    with traces.span("none", "consumer", following=[traceparent(8, sampled=False), None]), traces.span("inside none"):
        pass
    await exported(traces)
    inside, one = collector.spans
    assert (one.name, one.trace, one.parent, one.links) == ("one", f"{7:032x}", f"{7:016x}", frozenset())
    assert (inside.name, inside.trace, inside.parent) == ("inside", one.trace, one.identity)


async def test_a_failure_is_told_by_its_kind_alone(collector: Collector) -> None:
    traces = OtlpTraces("goals")
    with pytest.raises(ValueError, match="she cried"), traces.span("one", following=[traceparent(7)]):
        raise ValueError("she cried in the meeting")
    await exported(traces)
    assert b"ValueError" in collector.bodies[0]
    assert b"she cried" not in collector.bodies[0]
