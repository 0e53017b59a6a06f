"""A worker: the relay, projections, reactions, feeds and timers of one service, and whether they go on."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from shared.eventsourcing.checkpoints import CheckpointMissing
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.feed import FeedReader
from shared.eventsourcing.firing import TimerRunner
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import close, ends_fetched, partitions_of
from shared.eventsourcing.membership import member_id, members_of
from shared.eventsourcing.pulse import Watched
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.rebuild import Rebuilds, Surroundings
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.subscription import Subscription
from shared.runtime.service import Runtime
from shared.schemas.partitions import PARTITIONS

_STOP_SECONDS: Final = 8.5
"""More than a slice in hand may take, and less than the ten that a process gets."""
_WATCH_SECONDS: Final = 10.0
"""How often the parts' progress is looked at, and their groups are asked for them."""

log = structlog.get_logger(__name__)


class _Stalled(Exception):  # noqa: N818 - named for the fact
    """Parts of this worker make no progress though there is work."""


class Worker:
    """Everything of a service that runs without being asked."""

    def __init__(self, runtime: Runtime, *, exit_process: Callable[[], None]) -> None:
        service, engine, kafka = runtime.service, runtime.engine, runtime.kafka
        self.runtime = runtime
        self.relay = Relay(
            engine,
            kafka,
            topic=service.topic,
            source=f"/trellis/{service.name}",
            owner=owner_name(),
            tracing=runtime.traces,
        )
        self.feeds = [FeedReader(engine, kafka, feed) for feed in service.feeds(runtime)]
        self.broker = kafka.broker()
        self.subscriptions = [self._subscription(reader) for reader in runtime.readers()]
        self.timers: TimerRunner | None = None
        if runtime.timers is not None:
            self.timers = TimerRunner(runtime.handler, runtime.timers, runtime.clock)
        around = Surroundings(
            engine=engine,
            kafka=kafka,
            types=service.types,
            service=service.name,
            topic=service.topic,
            partitions=PARTITIONS,
        )
        self.rebuilds = Rebuilds(around, service.projections)
        self.watched: list[Watched] = [self.relay.pulse, *(feed.reading for feed in self.feeds)]
        if self.timers is not None:
            self.watched.append(self.timers.pulse)
        self._exit_process = exit_process
        self._tasks: list[asyncio.Task[None]] = []
        self._started: set[str] = set()
        self._stopping: asyncio.Task[None] | None = None

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
        """A part that stopped without a word does not come back: liveness fails, and the process ends."""
        seconds = self.runtime.settings.stall_seconds
        while True:
            await asyncio.sleep(min(_WATCH_SECONDS, seconds / 4))
            await self._look_at_groups()
            if stalled := self.stalled():
                raise _Stalled("; ".join(stalled))

    def stalled(self) -> list[str]:
        """The parts that make no progress though there is work, each with what it does not do."""
        seconds = self.runtime.settings.stall_seconds
        return [reason for part in self.watched if (reason := part.stalled(seconds)) is not None]

    async def _look_at_groups(self) -> None:
        """Which of the consumers their groups know; while the cluster does not answer, nothing is known."""
        reading = {s.group: s for s in self.subscriptions if s.reader.name in self._started}
        if not reading or self.runtime.kafka.assignment == "fixed":
            return
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            for group, members in (await members_of(self.runtime.kafka, reading)).items():
                reading[group].reading.member(of_its_group=member_id(reading[group].consumer) in members)

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        async def supervised() -> None:
            try:
                await work
            except Exception as error:
                why = str(error) if isinstance(error, _Stalled) else type(error).__name__
                log.critical("worker.failed", part=name, why=why, exc_info=True)
                self._exit_process()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling() == 0:  # nobody asked for it: a part that ends is a failure
                    log.critical("worker.failed", part=name, why="it was cancelled by nobody", exc_info=True)
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
                subscription.reading.pulse.looked()
                self.watched.append(subscription.reading)
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
            await close(consumer)

    async def stop(self) -> None:
        """Finish the slices in hand, leave the groups, give the lead back; once, however often it is asked for."""
        self._stopping = self._stopping or asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
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
        return waiting + [one.feed.name for one in self.feeds if one.feed.needed and not one.caught_up.is_set()]

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
