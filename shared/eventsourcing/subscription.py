"""A subscription feeds a reader from Kafka through FastStream: seeks, pauses, and a clock that judges holes."""

import asyncio
import contextlib
import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as FastStreamTopicPartition
from faststream.kafka.message import KafkaMessage as PlainKafkaMessage

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.checkpoints import NOT_STARTED, Checkpoint
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.walk import Record

HOLE_SECONDS: Final = 3.0
"""How long a hole may take to heal by the relay's re-send before it is looked for."""
_WATCH_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 5.0
_COMMIT_SECONDS: Final = 5.0
_MAX_BACKOFF: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Hole:
    since: float
    position: int
    tries: int = 0


@dataclass(slots=True)
class _Backoff:
    until: float
    failures: int = 1


class Subscription:
    """One reader's consumer. `seek_on_failure` is the guard that a test takes away."""

    def __init__(
        self,
        kafka: Kafka,
        broker: KafkaBroker,
        reader: Reader,
        *,
        group: str,
        partitions: int,
        max_records: int = 1_000,
        hole_seconds: float = HOLE_SECONDS,
        seek_on_failure: bool = True,
    ) -> None:
        self.reader = reader
        self.last_poll = time.monotonic()
        self.last_error: str | None = None
        self._kafka = kafka
        self._hole_seconds = hole_seconds
        self._seek_on_failure = seek_on_failure
        self._holes: dict[TopicPartition, _Hole] = {}
        self._backoffs: dict[TopicPartition, _Backoff] = {}
        self._generations: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._subscriber = self._subscribe(broker, group, partitions, max_records)

    def _subscribe(self, broker: KafkaBroker, group: str, partitions: int, max_records: int) -> Any:
        where: dict[str, Any]
        topics: tuple[str, ...] = ()
        if self._kafka.assignment == "fixed":
            everything = [FastStreamTopicPartition(t, p) for t in self.reader.topics for p in range(partitions)]
            where = {"partitions": everything}
        else:
            session = {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 2_000}
            topics, where = self.reader.topics, {"group_id": group, "listener": _SeekOnAssignment(self), **session}
        subscriber = broker.subscriber(
            *topics,
            **where,
            batch=True,
            max_records=max_records,
            batch_timeout_ms=10,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            parser=self._parse,
            decoder=_undecoded,
        )
        cast("Any", subscriber)(self._handle)
        return subscriber

    async def _parse(self, records: Sequence[Any]) -> PlainKafkaMessage:
        """Touch no header: FastStream's parser decodes every one and loses the batch over a bad one."""
        return PlainKafkaMessage(body=b"", raw_message=tuple(records), headers={}, consumer=self._subscriber.consumer)

    async def start(self) -> None:
        """Join, go to the checkpoints, and begin to watch."""
        await self._subscriber.start()
        if self._kafka.assignment == "fixed":
            await self.seek(self._subscriber.consumer.assignment())
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._retry_waiting())]

    async def stop(self) -> None:
        """Finish the slice in hand, leave the group."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._subscriber.stop()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer

    async def _handle(self, message: KafkaMessage) -> None:
        self.last_poll = time.monotonic()
        consumer: Any = message.consumer
        records: Any = message.raw_message
        for (topic, partition), part in groupby(records, key=lambda r: (r.topic, r.partition)):
            await self._slice(consumer, TopicPartition(topic, partition), list(part))

    async def _slice(self, consumer: AIOKafkaConsumer, tp: TopicPartition, records: list[Record]) -> None:
        """One partition's records. FastStream swallows errors and would go on behind them: seek back first."""
        try:
            progress = await self.reader.process(tp.topic, tp.partition, records)
        except Exception as error:  # noqa: BLE001 - whatever it was, the records must be read again
            self._failed(consumer, tp, records[0].offset, error)
            return
        self._backoffs.pop(tp, None)
        if progress.stopped:
            _pause(consumer, tp)
            return
        if progress.hole:
            self._holes.setdefault(tp, _Hole(time.monotonic(), progress.position))
        else:
            self._holes.pop(tp, None)
        await self._commit(consumer, tp, progress.next_offset)

    def _failed(self, consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, error: Exception) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        log.warning("subscription.slice_failed", reader=self.reader.name, partition=tp.partition, error=self.last_error)
        if not self._seek_on_failure:
            return
        failures = self._backoffs[tp].failures + 1 if tp in self._backoffs else 1
        wait = min(_MAX_BACKOFF, 0.1 * 2 ** min(failures, 8)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._backoffs[tp] = _Backoff(time.monotonic() + wait, failures)
        if _seek(consumer, tp, offset):
            _pause(consumer, tp)

    async def _commit(self, consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> None:
        """Tell Kafka, as a hint; the checkpoint row is the truth."""
        if self._kafka.assignment == "fixed" or offset < 0:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_COMMIT_SECONDS):
                await consumer.commit({tp: offset})

    async def seek(self, assigned: Collection[TopicPartition]) -> None:
        """Go where the checkpoints say. No barrier against what is being fetched: the chain is the guard."""
        consumer = self.consumer
        if consumer is None:
            return
        ends = await consumer.end_offsets(list(assigned)) if assigned else {}
        for checkpoint in await checkpoints.read_all(self.reader.engine, self.reader.name):
            tp = TopicPartition(checkpoint.topic, checkpoint.partition)
            if tp in assigned:
                self._generations[tp] = checkpoint.generation
                _seek(consumer, tp, await self._start(checkpoint, ends.get(tp, 0)))

    async def _start(self, checkpoint: Checkpoint, end: int) -> int:
        if checkpoint.next_offset != NOT_STARTED:
            # beyond the end: the last record tells by the chain whether anything is missing before it
            return checkpoint.next_offset if checkpoint.next_offset <= end else max(0, end - 1)
        async with self.reader.engine.begin() as connection:
            adopted = await checkpoints.adopt(connection, self.reader.name, checkpoint, end)
        return end if adopted else 0

    async def _watch(self) -> None:
        """Twice a second: holes, backoffs, resets and releases; seldom: whether the topic was emptied."""
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            consumer = self.consumer
            if consumer is None:
                continue
            try:
                await self._look_at_checkpoints(consumer)
                if time.monotonic() - looked > _LOOK_SECONDS:
                    looked = time.monotonic()
                    await self._look_at_ends(consumer)
            except Exception as error:  # noqa: BLE001 - the watch outlives a database or broker that is down
                self.last_error = f"{type(error).__name__}: {error}"

    async def _look_at_checkpoints(self, consumer: AIOKafkaConsumer) -> None:
        for checkpoint in await checkpoints.read_all(self.reader.engine, self.reader.name):
            tp = TopicPartition(checkpoint.topic, checkpoint.partition)
            if tp not in consumer.assignment():
                self._holes.pop(tp, None)
                continue
            if self._generations.setdefault(tp, checkpoint.generation) != checkpoint.generation:
                self._generations[tp] = checkpoint.generation
                self._holes.pop(tp, None)
                self._backoffs.pop(tp, None)
                _seek(consumer, tp, max(0, checkpoint.next_offset))
            if checkpoint.stopped:
                _pause(consumer, tp)
            else:
                await self._judge_hole(consumer, tp, checkpoint)
                self._resume(consumer, tp)

    async def _judge_hole(self, consumer: AIOKafkaConsumer, tp: TopicPartition, checkpoint: Checkpoint) -> None:
        """A clock judges a hole, never the next record: on a quiet partition none comes."""
        hole = self._holes.get(tp)
        if hole is None or time.monotonic() - hole.since < self._hole_seconds:
            return
        if checkpoint.position != hole.position:
            del self._holes[tp]  # it healed, or another worker has the partition
            return
        hole.since, hole.tries = time.monotonic(), hole.tries + 1
        log.warning("subscription.hole", reader=self.reader.name, partition=tp.partition, tries=hole.tries)
        if hole.tries == 1:
            _seek(consumer, tp, max(0, checkpoint.next_offset))
        elif hole.tries == 2:  # noqa: PLR2004 - second try
            _seek(consumer, tp, 0)
        else:
            del self._holes[tp]
            reason = f"hole: what follows position {checkpoint.position} in the chain is not in the topic"
            await self.reader.stop(tp.topic, tp.partition, reason)

    def _resume(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        backoff = self._backoffs.get(tp)
        waits = backoff is not None and backoff.until > time.monotonic()
        if tp in consumer.paused() and not waits:
            consumer.resume(tp)

    async def _look_at_ends(self, consumer: AIOKafkaConsumer) -> None:
        """A topic that was emptied ends before where it ended when it was last looked at."""
        assigned = list(consumer.assignment())
        ends = await consumer.end_offsets(assigned) if assigned else {}
        for tp, end in ends.items():
            if end < self._ends.get(tp, 0):
                log.warning("subscription.topic_emptied", reader=self.reader.name, partition=tp.partition)
                _seek(consumer, tp, 0)
        self._ends = ends

    async def _retry_waiting(self) -> None:
        """Now and then: streams that wait for a fact are tried again."""
        while True:
            await asyncio.sleep(2)
            with contextlib.suppress(Exception):  # tried again in two seconds; process() reports what lasts
                for stream, topic, partition in await dead_letters.waiting(self.reader.engine, self.reader.name):
                    await self.reader.retry(stream, topic, partition)


class _SeekOnAssignment(ConsumerRebalanceListener):
    """After a rebalance the checkpoints decide where to read on, not Kafka's offsets."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    # aiokafka awaits what these return; its base class says they return nothing
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Collection[TopicPartition]
    ) -> None:
        """Nothing to do: the checkpoint's lock fences a slice that is still running."""

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Collection[TopicPartition]
    ) -> None:
        try:
            await self._subscription.seek(assigned)
        except Exception as error:  # noqa: BLE001 - a raise here would be swallowed; the chain guards what follows
            log.warning("subscription.seek_failed", error=repr(error))


async def _undecoded(message: KafkaMessage) -> Any:
    return message.body


def _seek(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> bool:
    """Whether it was still ours to seek."""
    try:
        consumer.seek(tp, offset)
    except (KafkaError, ValueError):
        return False  # revoked meanwhile; its new owner starts from the checkpoint
    return True


def _pause(consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
    with contextlib.suppress(KafkaError, ValueError):
        consumer.pause(tp)
