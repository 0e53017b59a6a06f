"""Metrics as they are written: buckets, labels, and a port of their own."""

import socket
from typing import Any

import httpx
import pytest

from shared.eventsourcing.histogram import Histogram
from shared.runtime.catalogue import METRICS, Metric
from shared.runtime.exposition import Exposition
from shared.runtime.metrics_port import metrics_port
from tests.servers.scraped import Scraped

SLICES = METRICS["trellis_reader_slice_events"]


def written(told: Exposition) -> Scraped:
    return Scraped(told.written("text/plain")[0].decode())


def test_a_histograms_buckets_are_cumulative_and_their_bounds_inclusive() -> None:
    histogram = Histogram((1, 10))
    for value in (1, 2, 10, 11):
        histogram.observe(value)
    told = Exposition("goals")
    told.add(SLICES, histogram, reader="goal_tree")
    scraped = written(told)
    bucket = "trellis_reader_slice_events_bucket"
    assert [scraped.value(bucket, reader="goal_tree", le=le) for le in ("1.0", "10.0", "+Inf")] == [1, 3, 4]
    assert scraped.value("trellis_reader_slice_events_sum", reader="goal_tree") == 24
    assert scraped.value("trellis_reader_slice_events_count", reader="goal_tree") == 4


@pytest.mark.parametrize("labels", [{}, {"reader": "r", "stream": "goal-1"}, {"stream": "goal-1"}])
def test_a_label_that_is_not_declared_is_refused(labels: Any) -> None:
    with pytest.raises(ValueError, match="has the labels"):
        Exposition("goals").add(SLICES, Histogram((1,)), **labels)


def test_a_number_is_no_histogram() -> None:
    with pytest.raises(ValueError, match="is a histogram"):
        Exposition("goals").add(SLICES, 1.0, reader="r")


def test_the_process_tells_its_memory() -> None:
    assert written(Exposition("goals")).value("process_resident_memory_bytes") > 1_000_000


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_metrics_name_ends_with_what_it_counts(metric: Metric) -> None:
    assert metric.name.startswith("trellis_")
    assert (metric.kind == "counter") == metric.name.endswith("_total")


class _Settings:
    http_host = "127.0.0.1"

    def __init__(self, port: int | None) -> None:
        self.metrics_port = port


class _Empty:
    async def exposition(self) -> Exposition:
        told = Exposition("goals")
        told.add(METRICS["trellis_relay_leads"], 1)
        return told


async def test_metrics_answer_at_their_own_port_and_nothing_else_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    settings: Any = _Settings(port)
    metrics: Any = _Empty()
    async with metrics_port(metrics, settings), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/metrics")
        assert Scraped(answer.text).value("trellis_relay_leads") == 1
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        assert (await client.get("/health/live")).status_code == 404
    with pytest.raises(OSError, match=r"refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()


async def test_without_the_setting_there_is_no_port() -> None:
    settings: Any = _Settings(None)
    metrics: Any = _Empty()
    async with metrics_port(metrics, settings):
        pass
