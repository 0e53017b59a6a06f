"""A worker process: relay, projections, reactions and feeds of one service, with health and status over HTTP."""

import asyncio
import contextlib
import json
import os
import random
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.eventsourcing.administration import log_status, reader_status
from shared.eventsourcing.checkpoints import CheckpointMissing
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.feed import FeedReader
from shared.eventsourcing.firing import TimerRunner
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import ends_fetched, partitions_of
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.rebuild import Rebuilds, Surroundings
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.schema import PARTITIONS
from shared.eventsourcing.subscription import Subscription
from shared.eventsourcing.timers import FailedTimer, failed_timers, timer_status
from shared.runtime.metrics import Metrics, metrics_route
from shared.runtime.metrics_port import metrics_port
from shared.runtime.service import Runtime

_STOP_SECONDS: Final = 9.0
"""A second more than a slice in hand may take, and less than the ten that a process gets."""
_WATCH_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class Worker:
    """Everything of a service that runs without being asked."""

    def __init__(self, runtime: Runtime, *, exit_process: Callable[[], None]) -> None:
        service, engine, kafka = runtime.service, runtime.engine, runtime.kafka
        self.runtime = runtime
        self.relay = Relay(engine, kafka, topic=service.topic, source=f"/trellis/{service.name}", owner=owner_name())
        self.feeds = [FeedReader(engine, kafka, feed) for feed in service.feeds(runtime)]
        self.broker = kafka.broker()
        self.subscriptions = [self._subscription(reader) for reader in runtime.readers()]
        self.timers: TimerRunner | None = None
        if runtime.timers is not None:
            self.timers = TimerRunner(runtime.handler, runtime.timers, runtime.clock)
        around = Surroundings(
            engine=engine, kafka=kafka, types=service.types, service=service.name, partitions=PARTITIONS
        )
        self.rebuilds = Rebuilds(around, service.projections)
        self._exit_process = exit_process
        self._tasks: list[asyncio.Task[None]] = []
        self._started: set[str] = set()

    def _subscription(self, reader: Reader) -> Subscription:
        runtime = self.runtime
        group = f"{runtime.service.name}.{reader.name}"
        return Subscription(runtime.kafka, self.broker, reader, group=group, partitions=PARTITIONS)

    async def start(self) -> None:
        """Start everything at once; what cannot start yet tries again."""
        await self.broker.connect()
        self._run("relay", self.relay.run())
        for feed in self.feeds:
            self._run(f"feed {feed.feed.name}", feed.run())
        if self.timers is not None:
            self._run("timers", self.timers.run())
        for subscription in self.subscriptions:
            self._run(f"reader {subscription.reader.name}", self._start(subscription))
        self._run("rebuilds", self.rebuilds.run())
        self._run("watchdog", self._watch())

    async def _watch(self) -> None:
        """A consumer that stopped without a word is no worker any more: a new process is."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if any(subscription.standstill.lasts() for subscription in self.subscriptions):
                raise RuntimeError("a subscription does not read what is there")

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        async def supervised() -> None:
            try:
                await work
            except Exception:
                log.critical("worker.failed", part=name, exc_info=True)
                self._exit_process()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling() == 0:  # nobody asked for it: a part that ends is a failure
                    log.critical("worker.failed", part=name, exc_info=True)
                    self._exit_process()
                raise

        self._tasks.append(asyncio.create_task(supervised(), name=name))

    async def _start(self, subscription: Subscription) -> None:
        failures = 0
        while True:
            try:
                await self._check_partitions(subscription.reader.topics)
                await subscription.start()
            except Exception as error:
                if not (is_transient(error) or isinstance(error, KafkaError | CheckpointMissing)):
                    raise
                failures = min(failures + 1, 6)
                subscription.last_error = described(error)
                await asyncio.sleep(0.1 * 2**failures * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            else:
                subscription.last_error = None
                self._started.add(subscription.reader.name)
                return

    async def _check_partitions(self, topics: tuple[str, ...]) -> None:
        """Refuse to read a topic with another number of partitions than checkpoints were made for."""
        consumer = self.runtime.kafka.consumer()
        try:
            await consumer.start()
            for topic in topics:
                found = await partitions_of(consumer, topic)
                if not found:
                    raise ConnectionError(f"topic {topic} does not exist yet")
                if len(found) != PARTITIONS:
                    raise WrongPartitionCount(topic, expected=PARTITIONS, actual=len(found))
        finally:
            await consumer.stop()

    async def stop(self) -> None:
        """Finish the slices in hand, leave the groups, give the lead back."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                for task in self._tasks:
                    task.cancel()
                stopping = (subscription.stop() for subscription in self.subscriptions)
                await asyncio.gather(*stopping, self.rebuilds.stop(), *self._tasks, return_exceptions=True)
                await self.broker.stop()

    def not_ready(self) -> list[str]:
        """What this worker still waits for."""
        waiting = [s.reader.name for s in self.subscriptions if s.reader.name not in self._started]
        return waiting + [feed.feed.name for feed in self.feeds if not feed.caught_up.is_set()]

    @property
    def reader_names(self) -> list[str]:
        return [subscription.reader.name for subscription in self.subscriptions]

    def ends_fetched(self) -> dict[str, dict[TopicPartition, int]]:
        """For each reader where the partitions assigned to it ended when they were last fetched from."""
        consumers = [(subscription.reader.name, subscription.consumer) for subscription in self.subscriptions]
        return {name: ends_fetched(consumer) for name, consumer in consumers if consumer is not None}

    def last_error(self) -> str | None:
        """The newest failure that has not been followed by a success."""
        errors = [
            self.relay.last_error,
            *(s.last_error for s in self.subscriptions),
            *(f.last_error for f in self.feeds),
            self.timers.last_error if self.timers else None,
        ]
        return next((error for error in errors if error), None)


def owner_name() -> str:
    """Who leads, for a person who looks at the log's row: the host, the process on it, and which life of it."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid7()}"


async def status(worker: Worker) -> dict[str, Any]:
    """The service's log and readers, as `trellis status` shows them."""
    engine, service = worker.runtime.engine, worker.runtime.service
    published = await log_status(engine)
    ends = await _ends(worker)
    readers = [await reader_status(engine, s.reader.name) for s in worker.subscriptions]
    return {
        "service": service.name,
        "ready": not worker.not_ready(),
        "waiting_for": worker.not_ready(),
        "log_id": str(published.log_id),
        "store_position": published.stored,
        "relay_position": published.published,
        "relay_state": published.state,
        "last_error": published.error or worker.last_error(),
        "timers": await _timers(worker),
        "projections": [
            {
                "name": reader.name,
                "topic": checkpoint.topic,
                "partition": checkpoint.partition,
                "position": checkpoint.position,
                "next_offset": checkpoint.next_offset,
                "stopped": checkpoint.stopped,
                "lag": max(0, ends.get((checkpoint.topic, checkpoint.partition), 0) - max(0, checkpoint.next_offset)),
                "parked": reader.parked,
            }
            for reader in readers
            for checkpoint in reader.checkpoints
        ],
    }


async def _timers(worker: Worker) -> dict[str, Any] | None:
    """What this worker fired since its start, and how the service's timers stand."""
    if worker.timers is None:
        return None
    engine = worker.runtime.engine
    standing = await timer_status(engine, worker.runtime.clock())
    failed = await failed_timers(engine, limit=20) if standing.failing else []
    return {**asdict(standing), "counts": asdict(worker.timers.counts), "failed": [_failed(timer) for timer in failed]}


def _failed(timer: FailedTimer) -> dict[str, Any]:
    return {
        "name": timer.name,
        "stream": timer.stream,
        "due_at": timer.due_at.isoformat(),
        "attempts": timer.attempts,
        "parked_at": timer.parked_at.isoformat() if timer.parked_at else None,
        "cause": timer.cause.strip().rpartition("\n")[2],
    }


async def _ends(worker: Worker) -> dict[tuple[str, int], int]:
    """The end offset of each partition that this worker reads; none while the broker does not answer."""
    ends: dict[tuple[str, int], int] = {}
    for subscription in worker.subscriptions:
        consumer = subscription.consumer
        if consumer is None:
            continue
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(2):
                found = await consumer.end_offsets(list(consumer.assignment()))
            ends |= {(tp.topic, tp.partition): end for tp, end in found.items()}
    return ends


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
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        waiting = worker.not_ready()
        body = {"status": "not-ready" if waiting else "ready", "reasons": waiting}
        return JSONResponse(body, status_code=503 if waiting else 200)

    async def show_status(_request: Request) -> Response:
        return Response(json.dumps(await status(worker)), media_type="application/json")

    probes = [Route("/health/live", live), Route("/health/ready", ready), Route("/status", show_status)]
    return Starlette(routes=[*probes, metrics_route(metrics)], lifespan=lifespan)
