"""What a process tells Prometheus: what its parts counted, and how far they are, read when somebody asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiokafka.structs import TopicPartition
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.eventsourcing import lag
from shared.eventsourcing.checkpoints import NOT_STARTED
from shared.eventsourcing.counts import ReaderCounts
from shared.eventsourcing.described import described
from shared.eventsourcing.endings import OUTCOMES
from shared.eventsourcing.firing import TimerCounts
from shared.eventsourcing.histogram import Histogram
from shared.eventsourcing.lag import Lag
from shared.runtime.catalogue import METRICS
from shared.runtime.gauges import Reading
from shared.runtime.logging import logger
from shared.runtime.service import Runtime

if TYPE_CHECKING:
    from shared.runtime.api import Ready
    from shared.runtime.exposition import Exposition
    from shared.runtime.worker import Worker

_FRESH_SECONDS: Final = 5.0
"""One look at the database serves everybody who asks within this time."""
_LOOK_SECONDS: Final = 2.0

T = TypeVar("T")

log = logger(__name__)


class Metrics:
    """One process's metrics. Of those that need the database, `ready` is an api's and all others are a worker's."""

    def __init__(self, runtime: Runtime, worker: "Worker | None" = None, *, ready: "Ready | None" = None) -> None:
        self._runtime = runtime
        self._worker = worker
        self._ready = ready
        self._is_ready = False
        self._looking = asyncio.Lock()
        self._looked: float | None = None
        self._lag: Lag | None = None
        self._readings: list[tuple[str, Reading]] = []
        self._standing: dict[tuple[str, TopicPartition], tuple[int, float]] = {}

    async def exposition(self) -> "Exposition":
        """Everything, as it is now."""
        from shared.runtime.exposition import Exposition  # noqa: PLC0415 - who is never asked loads no Prometheus client

        told = Exposition(self._runtime.service.name)
        self._tell_requests(told)
        self._tell_store(told)
        await self._look()
        if self._ready is not None:
            _add(told, "trellis_api_ready", self._is_ready)
        if self._worker is not None:
            _tell_work(told, self._worker)
            self._tell_lag(told, self._worker)
        return told

    def _tell_requests(self, told: "Exposition") -> None:
        for (method, route, status), seconds in list(self._runtime.request_times.items()):
            _add(told, "trellis_http_request_seconds", seconds, method=method, route=route, status=status)
        for outcome in OUTCOMES:
            _add(told, "trellis_commands_total", self._runtime.handler.outcomes[outcome], outcome=outcome)

    def _tell_store(self, told: "Exposition") -> None:
        counts, pool = self._runtime.store.counts, self._runtime.engine.pool
        _add(told, "trellis_append_seconds", counts.seconds)
        _add(told, "trellis_append_events", counts.events)
        _add(told, "trellis_append_conflicts_total", counts.conflicts)
        checked_out: Any = getattr(pool, "checkedout", None)
        _add(told, "trellis_database_connections", checked_out() if checked_out else 0)

    async def _look(self) -> None:
        """Look at the database, unless somebody just did; a database that does not answer is one of the metrics."""
        async with self._looking:
            if self._looked is not None and time.monotonic() - self._looked < _FRESH_SECONDS:
                return
            await asyncio.gather(self._look_at_api(), self._look_at_work())
            self._looked = time.monotonic()

    async def _look_at_api(self) -> None:
        if self._ready is not None:
            self._is_ready = await _seen(self._ready) == []

    async def _look_at_work(self) -> None:
        if self._worker is not None:
            await _seen(self._read_work)

    async def _read_work(self) -> None:
        self._lag, self._readings = None, []
        async with self._runtime.engine.connect() as connection:
            self._lag = await lag.look(connection)
            for gauge in self._runtime.service.gauges:
                self._readings += [(gauge.metric.name, reading) for reading in await gauge.read(connection)]

    def _tell_lag(self, told: "Exposition", worker: "Worker") -> None:
        _add(told, "trellis_database_answers", self._lag is not None)
        if self._lag is None:
            return
        at = self._lag.log
        _add(told, "trellis_log_stored_position", at.stored)
        _add(told, "trellis_log_published_position", at.published)
        _add(told, "trellis_log_forked", at.state == "forked")
        _add(told, "trellis_relay_lag_events", at.waiting)
        _add(told, "trellis_relay_lag_seconds", at.waiting_seconds)
        self._tell_readers(told, worker, self._lag)
        declared = {gauge.metric.name: gauge.metric for gauge in self._runtime.service.gauges}
        for name, (labels, value) in self._readings:
            told.add(declared[name], value, **labels)

    def _tell_readers(self, told: "Exposition", worker: "Worker", seen: Lag) -> None:
        ends = worker.ends_fetched()
        stalled = dict.fromkeys(worker.reader_names, 0.0)
        stopped = dict.fromkeys(worker.reader_names, 0)
        for reached in seen.reached:
            reader, tp = reached.reader, TopicPartition(reached.topic, reached.partition)
            if reader not in stopped:  # of a projection that this release no longer has
                continue
            stopped[reader] += reached.stopped
            if (end := ends.get(reader, {}).get(tp)) is not None and reached.next_offset != NOT_STARTED:
                waiting = max(0, end - reached.next_offset)
                labels = {"reader": reader, "topic": tp.topic, "partition": str(tp.partition)}
                _add(told, "trellis_reader_lag_records", waiting, **labels)
                standing = self._stands_for((reader, tp), waiting=waiting, offset=reached.next_offset)
                stalled[reader] = max(stalled[reader], standing)
        for reader in worker.reader_names:
            _add(told, "trellis_reader_stalled_seconds", stalled[reader], reader=reader)
            _add(told, "trellis_reader_stopped_partitions", stopped[reader], reader=reader)
        parked = {one.reader: (one.failed, one.waiting) for one in seen.parked}
        for reader in (*worker.reader_names, *(feed.feed.name for feed in worker.feeds)):
            failed, waits = parked.get(reader, (0, 0))
            _add(told, "trellis_dead_letters", failed, reader=reader, kind="failed")
            _add(told, "trellis_dead_letters", waits, reader=reader, kind="waiting")

    def _stands_for(self, key: tuple[str, TopicPartition], *, waiting: int, offset: int) -> float:
        """How long (s) the checkpoint has stood at this offset while something waited, as seen from here."""
        if not waiting:
            self._standing.pop(key, None)
            return 0.0
        known, since = self._standing.get(key, (-1, 0.0))
        if known != offset:
            since = time.monotonic()
            self._standing[key] = (offset, since)
        return time.monotonic() - since


async def _seen(look: Callable[[], Awaitable[T]]) -> T | None:
    """None: the database did not answer."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            return await look()
    except Exception as error:  # noqa: BLE001 - whatever it is, the other metrics are told
        log.warning("metrics.database_does_not_answer", error=described(error))
        return None


def _tell_work(told: "Exposition", worker: "Worker") -> None:
    """What a worker's parts counted themselves."""
    relay = worker.relay.counts
    _add(told, "trellis_relay_leads", relay.leads)
    _add(told, "trellis_relay_published_events_total", relay.published)
    _add(told, "trellis_relay_chunk_seconds", relay.seconds)
    _add(told, "trellis_relay_chunk_events", relay.events)
    for subscription in worker.subscriptions:
        _tell_reader(told, subscription.reader.name, subscription.reader.counts)
    timers = TimerCounts() if worker.timers is None else worker.timers.counts
    by_outcome = {"fired": timers.fired, "late": timers.late, "spent": timers.spent, "failed": timers.failed}
    for outcome, count in by_outcome.items():
        _add(told, "trellis_timers_total", count, outcome=outcome)
    for feed in worker.feeds:
        _add(told, "trellis_feed_records_total", feed.records, feed=feed.feed.name)
        _add(told, "trellis_feed_caught_up", feed.caught_up.is_set(), feed=feed.feed.name)


def _tell_reader(told: "Exposition", reader: str, counts: ReaderCounts) -> None:
    by_outcome = {
        "applied": counts.applied,
        "skipped": counts.skipped,
        "unknown": counts.unknown,
        "parked": counts.parked,
    }
    for outcome, count in by_outcome.items():
        _add(told, "trellis_reader_events_total", count, reader=reader, outcome=outcome)
    for part, count in (("field", counts.unknown_fields), ("enum member", counts.unknown_members)):
        _add(told, "trellis_reader_unknown_parts_total", count, reader=reader, part=part)
    _add(told, "trellis_reader_slice_seconds", counts.seconds, reader=reader)
    _add(told, "trellis_reader_slice_events", counts.events, reader=reader)
    _add(told, "trellis_reader_delay_seconds", counts.delay, reader=reader)


def _add(told: "Exposition", name: str, value: float | Histogram, **labels: str) -> None:
    told.add(METRICS[name], value, **labels)


def metrics_route(metrics: Metrics) -> Route:
    """`/metrics`, which answers anybody: it is served on ports of the inside alone."""

    async def show(request: Request) -> Response:
        content, content_type = (await metrics.exposition()).written(request.headers.get("Accept", ""))
        return Response(content, headers={"Content-Type": content_type})

    return Route("/metrics", show)
