"""A subscription feeds a reader from Kafka through FastStream: seeks, pauses, and a clock that judges holes."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, Final, cast

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as FastStreamTopicPartition
from faststream.kafka.message import KafkaMessage as PlainKafkaMessage

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.backoffs import Backoffs
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.described import described
from shared.eventsourcing.holes import HOLE_SECONDS, Holes, Verdict
from shared.eventsourcing.kafka import Kafka, positions_of
from shared.eventsourcing.line_ids import ids_in
from shared.eventsourcing.progress import Progress
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.reading import Reading
from shared.eventsourcing.seeking import SeekOnAssignment, hold, pause, seek
from shared.eventsourcing.starting_now import start_now
from shared.eventsourcing.walk import Record

_BUSY_POLL_MS, _QUIET_POLL_MS, _QUIET_SECONDS = 10, 50, 2.0  # an idle worker costs what its polling costs
_PARTITION_BYTES, _FETCH_BYTES = 4 * 2**20, 16 * 2**20
"""So that a backlog comes in slices as large as an applier takes, and memory stays bounded."""
_WATCH_SECONDS: Final = 0.5
_COMMIT_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


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
        max_records: int = 5_000,
        hole_seconds: float = HOLE_SECONDS,
        look_seconds: float = 5.0,
        seek_on_failure: bool = True,
        slices_at_once: int = 1,
    ) -> None:
        self.reader = reader
        self.last_poll = time.monotonic()
        self.last_error: str | None = None
        self.group = group
        self._kafka = kafka
        self._look_seconds = look_seconds
        self._seek_on_failure = seek_on_failure
        self._slices_at_once = asyncio.Semaphore(slices_at_once)
        self._holes = Holes(seconds=hole_seconds)
        self._backoffs = Backoffs()
        self.reading = Reading(f"reader {reader.name}")
        reader.transaction_ended = self.reading.transaction_ended
        self._generations: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._subscriber = self._subscribe(broker, group, partitions, max_records)

    def _subscribe(self, broker: KafkaBroker, group: str, partitions: int, max_records: int) -> Any:
        where: dict[str, Any]
        topics: tuple[str, ...] = ()
        if self._kafka.assignment == "fixed":
            everything = [FastStreamTopicPartition(t, p) for t in self.reader.topics for p in range(partitions)]
            where = {"partitions": everything}
        else:
            session = {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 2_000}
            topics, where = self.reader.topics, {"group_id": group, "listener": SeekOnAssignment(self), **session}
        subscriber = broker.subscriber(
            *topics,
            **where,
            batch=True,
            max_records=max_records,
            max_partition_fetch_bytes=_PARTITION_BYTES,
            fetch_max_bytes=_FETCH_BYTES,
            batch_timeout_ms=_BUSY_POLL_MS,
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
        """Join, go to the checkpoints, and begin to watch. What raises left nothing behind and can be started again."""
        await start_now(self.reader.engine, self._kafka, self.reader.name)
        self._stopping = False
        try:
            await self._subscriber.start()
        except BaseException:
            await self._subscriber.stop()  # a consumer half started would keep its place in the group
            raise
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._retry_waiting())]
        if self._kafka.assignment == "fixed":
            await self.seek(self._subscriber.consumer.assignment())

    async def stop(self) -> None:
        """Finish the slice in hand, leave the group. What else was fetched is read by whoever comes next."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._subscriber.stop()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer

    async def _handle(self, message: KafkaMessage) -> None:
        self.last_poll = time.monotonic()
        self._subscriber.batch_timeout_ms = _BUSY_POLL_MS
        consumer: Any = message.consumer
        records: Any = message.raw_message
        parts = [
            (TopicPartition(topic, partition), list(part))
            for (topic, partition), part in groupby(records, key=lambda r: (r.topic, r.partition))
        ]
        left = await asyncio.gather(*(self._in_turn(consumer, tp, part) for tp, part in parts))
        applied = {tp: offset for (tp, _), offset in zip(parts, left, strict=True) if offset is not None}
        await self._commit(consumer, applied)

    async def _in_turn(self, consumer: AIOKafkaConsumer, tp: TopicPartition, records: list[Record]) -> int | None:
        """As many partitions at once as is allowed, unless this is being stopped."""
        async with self._slices_at_once:
            return None if self._stopping else await self._slice(consumer, tp, records)

    async def _slice(self, consumer: AIOKafkaConsumer, tp: TopicPartition, records: list[Record]) -> int | None:
        """One partition's records; the offset to read on at, unless they failed or the partition is stopped.

        FastStream swallows errors and would go on behind them: seek back first.
        """
        try:
            with self.reading.slice():
                progress = await self.reader.process(tp.topic, tp.partition, records)
        except Exception as error:  # noqa: BLE001 - whatever it was, the records must be read again
            self._failed(consumer, tp, records[0], error)
            return None
        self.last_error = None
        self._backoffs.succeeded(tp)
        if progress.stopped:
            pause(consumer, tp)
            return None
        self._note_hole(tp, progress, records[-1].offset)
        if progress.held_at is not None:
            hold(consumer, tp, progress.held_at)
        return progress.next_offset if progress.next_offset >= 0 else None

    def _note_hole(self, tp: TopicPartition, progress: Progress, offset: int) -> None:
        if progress.hole:
            self._holes.seen(tp, position=progress.position, offset=offset)
        else:
            self._holes.passed(tp, position=progress.position)
        if progress.repeated:
            self._holes.sent_again(tp, offset=offset)

    def _failed(self, consumer: AIOKafkaConsumer, tp: TopicPartition, first: Record, error: Exception) -> None:
        self.last_error = described(error)
        where = {"reader": self.reader.name, "topic": tp.topic, "partition": tp.partition, "offset": first.offset}
        log.warning("subscription.slice_failed", error=self.last_error, **where, **ids_in(first.headers))
        if not self._seek_on_failure:
            return
        self._backoffs.failed(tp)
        if seek(consumer, tp, first.offset):
            pause(consumer, tp)

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
        """Tell Kafka, as a hint; the checkpoint row is the truth."""
        if self._kafka.assignment == "fixed" or not offsets or self._stopping:
            return
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_COMMIT_SECONDS):
                await consumer.commit(offsets)

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours from now on: they are read from their checkpoints, as soon as those can be read."""
        for tp in partitions:
            self._generations.pop(tp, None)
            self._holes.forget(tp)

    async def seek(self, assigned: Collection[TopicPartition]) -> None:
        """Go where the checkpoints say. No barrier against what is being fetched: the chain is the guard.

        What fails here is tried again by the watch.
        """
        consumer = self.consumer
        if consumer is None or not assigned:
            return
        try:
            ends = await consumer.end_offsets(list(assigned))
            for checkpoint in await checkpoints.read_all(self.reader.engine, self.reader.name):
                tp = TopicPartition(checkpoint.topic, checkpoint.partition)
                end, start = ends.get(tp, 0), checkpoint.next_offset
                if start > end:  # the last record tells by the chain whether anything is missing before it
                    start = max(0, end - 1)
                if tp in assigned and seek(consumer, tp, start):
                    self._generations[tp] = checkpoint.generation
        except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
            self.last_error = described(error)
            log.warning("subscription.seek_failed", reader=self.reader.name, error=self.last_error)

    async def _watch(self) -> None:
        """Twice a second: holes, backoffs, resets and releases; seldom: whether the topic was emptied."""
        looked, trouble = time.monotonic(), None
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self.reading.pulse.looked()
            consumer = self.consumer
            if consumer is None:
                continue
            if time.monotonic() - self.last_poll > _QUIET_SECONDS:
                self._subscriber.batch_timeout_ms = _QUIET_POLL_MS
            try:
                await self._look_at_checkpoints(consumer)
                await self.seek([tp for tp in consumer.assignment() if tp not in self._generations])
                if time.monotonic() - looked > self._look_seconds:
                    looked = time.monotonic()
                    await self._look_at_ends(consumer)
            except Exception as error:  # noqa: BLE001 - the watch outlives a database or broker that is down
                trouble = self.last_error = described(error)
                self.reading.standstill.forget()
            else:
                if self.last_error == trouble:
                    self.last_error = None

    async def _look_at_checkpoints(self, consumer: AIOKafkaConsumer) -> None:
        for checkpoint in await checkpoints.read_all(self.reader.engine, self.reader.name):
            tp = TopicPartition(checkpoint.topic, checkpoint.partition)
            if tp not in consumer.assignment():
                self._holes.forget(tp)
                continue
            if self._generations.get(tp, checkpoint.generation) != checkpoint.generation:
                self._generations[tp] = checkpoint.generation
                self._holes.forget(tp)
                self._backoffs.succeeded(tp)
                seek(consumer, tp, checkpoint.next_offset)
            if checkpoint.stopped:
                pause(consumer, tp)
            else:
                await self._judge_hole(consumer, tp, checkpoint)
                self._resume(consumer, tp)

    async def _judge_hole(self, consumer: AIOKafkaConsumer, tp: TopicPartition, checkpoint: Checkpoint) -> None:
        """A clock judges a hole, never the next record: on a quiet partition none comes."""
        if not self._holes.has(tp):
            return
        read_up_to = (await positions_of(consumer, [tp]))[tp]
        verdict = self._holes.judge(tp, position=checkpoint.position, read_up_to=read_up_to)
        if verdict is not Verdict.NOTHING:
            log.warning("subscription.hole", reader=self.reader.name, partition=tp.partition, verdict=verdict.value)
        match verdict:
            case Verdict.NOTHING:
                pass
            case Verdict.FROM_CHECKPOINT:
                seek(consumer, tp, checkpoint.next_offset)
            case Verdict.FROM_BEGINNING:
                seek(consumer, tp, 0)
            case Verdict.STOP:
                reason = f"hole: what follows position {checkpoint.position} in the chain is not in the topic"
                await self.reader.stop(tp.topic, tp.partition, reason, position=checkpoint.position)

    def _resume(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        if tp in consumer.paused() and not self._backoffs.waits(tp):
            consumer.resume(tp)

    async def _look_at_ends(self, consumer: AIOKafkaConsumer) -> None:
        """A topic that was emptied ends before where it ended when it was last looked at."""
        assigned = list(consumer.assignment())
        ends = await consumer.end_offsets(assigned) if assigned else {}
        for tp, end in ends.items():
            if end < self._ends.get(tp, 0):
                log.warning("subscription.topic_emptied", reader=self.reader.name, partition=tp.partition)
                seek(consumer, tp, 0)
        self._ends = ends
        paused = consumer.paused()
        self.reading.standstill.look(await positions_of(consumer, [tp for tp in assigned if tp not in paused]), ends)

    async def _retry_waiting(self) -> None:
        """Now and then: streams that wait for a fact are tried again, each for itself."""
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            with contextlib.suppress(Exception):  # a database that is down; the watch says so
                for stream, topic, partition in await dead_letters.waiting(self.reader.engine, self.reader.name):
                    try:
                        await self.reader.retry(stream, topic, partition)
                    except Exception as error:  # noqa: BLE001 - the next stream may go through
                        log.warning(
                            "subscription.retry_failed", reader=self.reader.name, stream=stream, error=described(error)
                        )


async def _undecoded(message: KafkaMessage) -> Any:
    return message.body
