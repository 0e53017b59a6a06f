"""A subscription feeds a reader from Kafka through FastStream, batch by batch; what fails is sought back to."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from itertools import chain, groupby
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka import TopicPartition as FastStreamTopicPartition
from faststream.kafka.message import KafkaMessage as PlainKafkaMessage

from shared.eventsourcing.described import described
from shared.eventsourcing.holes import HOLE_SECONDS, Holes
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.line_ids import ids_in
from shared.eventsourcing.partition_watch import PartitionWatch
from shared.eventsourcing.progress import Progress
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.reading import Reading
from shared.eventsourcing.seeking import SeekOnAssignment, hold, pause, seek
from shared.eventsourcing.starting_now import start_now
from shared.eventsourcing.waiting_streams import retry_waiting
from shared.eventsourcing.walk import Part

_WAIT_MS: Final = 1_000
"""For records, which end the wait: the broker answers when there are some."""
_PARTITION_BYTES, _FETCH_BYTES = 4 * 2**20, 16 * 2**20
"""So that a backlog comes in slices as large as an applier takes, and memory stays bounded."""
_COMMIT_EVERY_SECONDS: Final = 0.5
_COMMIT_SECONDS: Final = 5.0

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
        self.group = group
        self._kafka = kafka
        self._seek_on_failure = seek_on_failure
        self._slices_at_once = asyncio.Semaphore(slices_at_once)
        self.reading = Reading(f"reader {reader.name}")
        reader.transaction_ended = self.reading.transaction_ended
        self._tasks: list[asyncio.Task[None]] = []
        self._reached: dict[TopicPartition, int] = {}
        self._stopping = False
        self._watch = PartitionWatch(
            reader, self.reading, lambda: self.consumer, holes=Holes(seconds=hole_seconds), look_seconds=look_seconds
        )
        self._member = SeekOnAssignment(self._watch)
        self._subscriber = self._subscribe(broker, group, partitions, max_records)

    def _subscribe(self, broker: KafkaBroker, group: str, partitions: int, max_records: int) -> Any:
        where: dict[str, Any]
        topics: tuple[str, ...] = ()
        if self._kafka.assignment == "fixed":
            everything = [FastStreamTopicPartition(t, p) for t in self.reader.topics for p in range(partitions)]
            where = {"partitions": everything}
        else:
            session = {"session_timeout_ms": 10_000, "heartbeat_interval_ms": 2_000}
            topics, where = self.reader.topics, {"group_id": group, "listener": self._member, **session}
        subscriber: Any = broker.subscriber(
            *topics,
            **where,
            batch=True,
            max_partition_fetch_bytes=_PARTITION_BYTES,
            fetch_max_bytes=_FETCH_BYTES,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            parser=self._parse,
            decoder=_records,
        )
        subscriber.get_msg = _batches(max_records)
        subscriber(self._handle)
        return subscriber

    async def _parse(self, records: Sequence[Any]) -> PlainKafkaMessage:
        """Touch no header: FastStream's parser decodes every one and loses the batch over a bad one."""
        return PlainKafkaMessage(body=b"", raw_message=list(records), headers={}, consumer=self._subscriber.consumer)

    async def start(self) -> None:
        """Join, go to the checkpoints, and begin to watch. What raises left nothing behind and can be started again."""
        await start_now(self.reader.engine, self._kafka, self.reader.name)
        self._stopping = False
        try:
            await self._subscriber.start()
        except BaseException:
            await self._subscriber.stop()  # a consumer half started would keep its place in the group
            raise
        beside = (self._watch.run(), retry_waiting(self.reader), self._commit())
        self._tasks = [asyncio.create_task(work) for work in beside]
        if self._kafka.assignment == "fixed":
            await self._watch.seek(self._subscriber.consumer.assignment())

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

    @property
    def last_error(self) -> str | None:
        """The newest failure that has not been followed by a success."""
        return self._watch.last_error

    @last_error.setter
    def last_error(self, error: str | None) -> None:
        self._watch.last_error = error

    async def _handle(self, records: list[Any]) -> None:
        consumer = self._subscriber.consumer
        parts = [
            Part(topic, partition, list(part))
            for (topic, partition), part in groupby(records, key=lambda r: (r.topic, r.partition))
        ]
        left = await self._together(consumer, parts)
        if left is None:
            left = await asyncio.gather(*(self._in_turn(consumer, part) for part in parts))
        self._reached |= {_tp(part): offset for part, offset in zip(parts, left, strict=True) if offset is not None}
        records.clear()  # the message lives on in the context of whatever was begun meanwhile, such as a connection

    async def _together(self, consumer: AIOKafkaConsumer, parts: Sequence[Part]) -> list[int | None] | None:
        """What came of several partitions is one transaction; None: each is tried by itself, and fails by itself."""
        if len(parts) == 1 or self._stopping:
            return None
        try:
            with self.reading.slice():
                progress = await self.reader.process_together(parts)
        except Exception as error:  # noqa: BLE001 - whatever it was, it comes again with the partition whose fault it is
            log.info("subscription.taken_apart", reader=self.reader.name, error=described(error))
            return None
        if progress is None:
            return None
        return [self._passed(consumer, part, one) for part, one in zip(parts, progress, strict=True)]

    async def _in_turn(self, consumer: AIOKafkaConsumer, part: Part) -> int | None:
        """As many partitions at once as is allowed, unless this is being stopped."""
        async with self._slices_at_once:
            return None if self._stopping else await self._slice(consumer, part)

    async def _slice(self, consumer: AIOKafkaConsumer, part: Part) -> int | None:
        """One partition's records; the offset to read on at, unless they failed or the partition is stopped.

        FastStream swallows errors and would go on behind them: seek back first.
        """
        try:
            with self.reading.slice():
                progress = await self.reader.process(part.topic, part.partition, part.records)
        except Exception as error:  # noqa: BLE001 - whatever it was, the records must be read again
            self._failed(consumer, part, error)
            return None
        return self._passed(consumer, part, progress)

    def _passed(self, consumer: AIOKafkaConsumer, part: Part, progress: Progress) -> int | None:
        tp = _tp(part)
        self.last_error = None
        self._watch.backoffs.succeeded(tp)
        if progress.stopped:
            pause(consumer, tp)
            return None
        self._watch.holes.note(tp, progress, offset=part.records[-1].offset)
        if progress.held_at is not None:
            hold(consumer, tp, progress.held_at)
        return progress.next_offset if progress.next_offset >= 0 else None

    def _failed(self, consumer: AIOKafkaConsumer, part: Part, error: Exception) -> None:
        self.last_error = described(error)
        tp, first = _tp(part), part.records[0]
        where = {"reader": self.reader.name, "topic": tp.topic, "partition": tp.partition, "offset": first.offset}
        log.warning("subscription.slice_failed", error=self.last_error, **where, **ids_in(first.headers))
        if not self._seek_on_failure:
            return
        self._watch.backoffs.failed(tp)
        if seek(consumer, tp, first.offset):
            pause(consumer, tp)

    async def _commit(self) -> None:
        """Tell Kafka now and then, as a hint to who watches its lag; the checkpoint row is the truth.

        No batch waits for it: a round trip behind each would be one more for each reader and event. None is sent while
        the group gathers: it would be answered behind the joining, be of another generation, and make us join anew.
        """
        while self._kafka.assignment == "group":
            await asyncio.sleep(_COMMIT_EVERY_SECONDS)
            if self._member.gathering:
                continue
            consumer, reached, self._reached = self.consumer, self._reached, {}
            if consumer is None:
                continue
            ours = {tp: offset for tp, offset in reached.items() if tp in consumer.assignment()}
            if not ours:
                continue
            try:
                async with asyncio.timeout(_COMMIT_SECONDS):
                    await consumer.commit(ours)
            except (KafkaError, OSError, TimeoutError):
                self._reached = ours | self._reached  # told the next time


def _tp(part: Part) -> TopicPartition:
    return TopicPartition(part.topic, part.partition)


def _batches(max_records: int) -> Callable[[AIOKafkaConsumer], Coroutine[Any, Any, tuple[Any, ...]]]:
    """How a batch is got. FastStream's own way sleeps after each wait in vain, for as long, whatever comes."""

    async def next_batch(consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        records = await consumer.getmany(timeout_ms=_WAIT_MS, max_records=max_records)
        return tuple(chain.from_iterable(records.values()))

    return next_batch


async def _records(message: KafkaMessage) -> Any:
    """What the handler is given: not the message, which would hold itself and wait for a collection, which is rare."""
    return message.raw_message
