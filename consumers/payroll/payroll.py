"""The running payroll: one task reads, one publishes, one pays; a broker that is down is waited for."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from consumers.payroll import health
from consumers.payroll.books import Books, now
from consumers.payroll.publishing import producer, publish_recorded
from consumers.payroll.reading import HOLE_SECONDS, Reading
from consumers.payroll.settings import Settings
from consumers.payroll.topics import TopicMissing, count_records, partitions_of, require, stop
from shared.schemas import payroll, rewards

GROUP: Final = "payroll"
_LOOK_SECONDS: Final = 3.0
_START_SECONDS: Final = 20.0
_METADATA_MS: Final = 10_000
"""How often a consumer asks which partitions there are. At aiokafka's five minutes one that was given none, since its
topic was deleted and created again under it, would have none for as long."""
_LONGEST_PAUSE: Final = 5.0
STALL_SECONDS: Final = 120.0
"""How long reading may neither fail nor get on while there is something to read."""

log = logging.getLogger(__name__)


class Stalled(Exception):  # noqa: N818 - named for the fact
    """A consumer reads nothing and says nothing, as one does that fell out of its group: only a new process helps."""


class Payroll:
    """Payroll on one file of books. `run` ends when it is cancelled, and nothing that was recorded is lost."""

    def __init__(
        self,
        settings: Settings,
        *,
        instructions: str = rewards.TOPIC,
        answers: str = payroll.TOPIC,
        hole_seconds: float = HOLE_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self.settings = settings
        self.books = Books(settings.database, pay_groups=settings.pay_groups)
        self.reading = Reading(self.books, instructions, hole_seconds)
        self.last_error: str | None = None
        self._answers = answers
        self._recorded = asyncio.Event()
        self._assigned = False
        self._ends: Mapping[TopicPartition, int] = {}
        self._stall_seconds = stall_seconds
        self._moved = time.monotonic()

    async def run(self) -> None:
        """Work until cancelled."""
        host, port = self.settings.health_host, self.settings.health_port
        server = await health.serve(host, port, self.state) if port else None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._persistently("reading", self._read))
                tasks.create_task(self._persistently("publishing", self._publish))
                tasks.create_task(self._persistently("checking answers", self._check_answers))
                tasks.create_task(self._pay())
                tasks.create_task(self._watch())
        finally:
            if server is not None:
                server.close()
            self.books.close()

    def state(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether every partition is read, and the books' figures."""
        with self.books.transaction():
            figures = asdict(self.books.figures())
        stopped = {str(partition): reason for partition, reason in self.reading.stopped.items()}
        ready = self._assigned and not stopped
        return ready, {"ready": ready, "stopped": stopped, "last_error": self.last_error, **figures}

    async def _persistently(self, doing: str, work: Callable[[], Awaitable[None]]) -> None:
        """Again and again, with pauses that grow while a broker is down; any other error ends payroll loudly."""
        failures = 0
        while _wanted():
            began = time.monotonic()
            try:
                await work()
            except (KafkaError, OSError, TimeoutError, TopicMissing) as error:
                if work == self._read:
                    self._moved = time.monotonic()
                failures = 0 if time.monotonic() - began > _LONGEST_PAUSE else failures + 1
                self.last_error = f"{doing}: {type(error).__name__}: {error}"
                log.warning(self.last_error)
                await asyncio.sleep(min(_LONGEST_PAUSE, 0.1 * 2**failures))

    async def _read(self) -> None:
        consumer = self._consumer()
        try:
            async with asyncio.timeout(_START_SECONDS):
                await consumer.start()
                await self._subscribe(consumer)
            looked = 0.0
            while _wanted():
                batches: Mapping[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=200, max_records=500)
                for partition, records in batches.items():
                    await self._take(consumer, partition, records)
                self._seek_holes(consumer)
                if time.monotonic() - looked > _LOOK_SECONDS:
                    looked = time.monotonic()
                    await self._look(consumer)
        finally:
            self._assigned = False
            await stop(consumer)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap,
            group_id=None if self.settings.fixed_assignment else GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=15_000,
            metadata_max_age_ms=_METADATA_MS,
        )

    async def _subscribe(self, consumer: AIOKafkaConsumer) -> None:
        """Every partition without a group, or what the group shares out; either way from our own checkpoints.

        Raises:
            TopicMissing: there is no such topic. A group would share nothing out, and say nothing.
        """
        if self.settings.fixed_assignment:
            partitions = await partitions_of(consumer, self.reading.topic)
            consumer.assign(partitions)
            await self.assigned(consumer, partitions)
        else:
            await require(consumer, self.reading.topic)
            consumer.subscribe([self.reading.topic], listener=_Assignment(self, consumer))

    async def assigned(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> None:
        """Seek to what the books say; Kafka's offsets are a hint for others."""
        ends = await consumer.end_offsets(list(partitions)) if partitions else {}
        for partition, end in ends.items():
            consumer.seek(partition, self.reading.start(partition.partition, end))
        self._assigned = bool(partitions)

    async def _watch(self) -> None:
        """End payroll, for whoever runs it to start another, when reading stands still without a word.

        Raises:
            Stalled: it has for too long. A broker that is down is no reason: that fails again and again.
        """
        while True:
            await asyncio.sleep(min(_LOOK_SECONDS, self._stall_seconds / 4))
            if time.monotonic() - self._moved > self._stall_seconds:
                raise Stalled(f"nothing of {self.reading.topic} was read for {self._stall_seconds:.0f} s")

    async def _take(self, consumer: AIOKafkaConsumer, partition: TopicPartition, records: list[Any]) -> None:
        stopped = dict(self.reading.stopped)
        self.reading.take(partition.partition, records)
        self._moved = time.monotonic()
        self._recorded.set()
        if self.reading.stopped != stopped:
            log.error("partition %d is stopped: %s", partition.partition, self.reading.stopped[partition.partition])
        if partition.partition in self.reading.stopped:
            consumer.pause(partition)
        elif not self.settings.fixed_assignment:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(2):
                    await consumer.commit({partition: records[-1].offset + 1})

    def _seek_holes(self, consumer: AIOKafkaConsumer) -> None:
        for number, offset in self.reading.look().items():
            partition = TopicPartition(self.reading.topic, number)
            if partition in consumer.assignment():
                log.warning("records are missing in partition %d: reading again from offset %d", number, offset)
                consumer.seek(partition, offset)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """The topic may have been emptied, as a broker that keeps it in memory does: read from its beginning, then."""
        assigned = list(consumer.assignment())
        ends = await consumer.end_offsets(assigned) if assigned else {}
        for partition, end in ends.items():
            if end < self._ends.get(partition, 0):
                log.warning("partition %d was emptied: reading from its beginning", partition.partition)
                consumer.seek(partition, 0)
        self._ends = ends
        if ends and not self._is_behind(ends):
            self._moved = time.monotonic()

    def _is_behind(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether records wait in a partition that is not stopped."""
        with self.books.transaction():
            return any(
                self.books.checkpoint(self.reading.topic, partition.partition).next_offset < end
                for partition, end in ends.items()
                if partition.partition not in self.reading.stopped
            )

    async def _check_answers(self) -> None:
        """The answers' topic may have been emptied: what it no longer holds is published again."""
        with self.books.transaction():
            figures = self.books.figures()
        held = await count_records(self.settings.bootstrap, self._answers)
        if held < (published := figures.answers - figures.unpublished):
            log.warning("%s holds %d of %d answers: publishing them again", self._answers, held, published)
            with self.books.transaction():
                self.books.publish_again()
            self._recorded.set()
        await asyncio.sleep(_LOOK_SECONDS)

    async def _publish(self) -> None:
        kafka = producer(self.settings.bootstrap, idempotence=self.settings.idempotence)
        try:
            async with asyncio.timeout(_START_SECONDS):
                await kafka.start()
            while _wanted():
                self._recorded.clear()
                while await publish_recorded(self.books, kafka, self._answers):
                    pass
                await self._recorded.wait()
        finally:
            await stop(kafka)

    async def _pay(self) -> None:
        while True:
            with self.books.transaction():
                paid = self.books.run_payroll(due_by=now().date() if self.settings.pay_on_pay_date else None)
            if paid:
                log.info("paid %d", paid)
                self._recorded.set()
            await asyncio.sleep(self.settings.pay_run_seconds)


def _wanted() -> bool:
    """Whether this task goes on: aiokafka swallows a cancellation that comes while it waits for a lock or a fetch.

    Raises:
        asyncio.CancelledError: the cancellation that was swallowed.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return True


class _Assignment(ConsumerRebalanceListener):
    """After a rebalance our own checkpoints decide where to read on."""

    def __init__(self, running: Payroll, consumer: AIOKafkaConsumer) -> None:
        self._payroll = running
        self._consumer = consumer

    # aiokafka awaits what these return; its base class says they return nothing
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Collection[TopicPartition]
    ) -> None:
        """Nothing to do: what was taken is in the books."""

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Collection[TopicPartition]
    ) -> None:
        with suppress(KafkaError, TimeoutError):  # the chain guards what follows
            await self._payroll.assigned(self._consumer, assigned)
