"""The watch over one consumer's partitions: where to read on, holes judged by a clock, pauses, emptied topics."""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from shared.eventsourcing import checkpoints
from shared.eventsourcing.backoffs import Backoffs
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.described import described
from shared.eventsourcing.holes import Holes, Verdict
from shared.eventsourcing.kafka import positions_of
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.reading import Reading
from shared.eventsourcing.seeking import pause, seek

_WATCH_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class PartitionWatch:
    """What is known of a reader's partitions in this process, and what is done about them beside their slices."""

    def __init__(
        self,
        reader: Reader,
        reading: Reading,
        consumer: Callable[[], AIOKafkaConsumer | None],
        *,
        holes: Holes,
        look_seconds: float,
    ) -> None:
        self.last_error: str | None = None
        self.holes = holes
        self.backoffs = Backoffs()
        self._reader = reader
        self._reading = reading
        self._consumer = consumer
        self._look_seconds = look_seconds
        self._generations: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours from now on: they are read from their checkpoints, as soon as those can be read."""
        for tp in partitions:
            self._generations.pop(tp, None)
            self.holes.forget(tp)

    async def seek(self, assigned: Collection[TopicPartition]) -> None:
        """Go where the checkpoints say. No barrier against what is being fetched: the chain is the guard.

        What fails here is tried again by the watch.
        """
        consumer = self._consumer()
        if consumer is None or not assigned:
            return
        try:
            ends = await consumer.end_offsets(list(assigned))
            for checkpoint in await checkpoints.read_all(self._reader.engine, self._reader.name):
                tp = TopicPartition(checkpoint.topic, checkpoint.partition)
                end, start = ends.get(tp, 0), checkpoint.next_offset
                if start > end:  # the last record tells by the chain whether anything is missing before it
                    start = max(0, end - 1)
                if tp in assigned and seek(consumer, tp, start):
                    self._generations[tp] = checkpoint.generation
        except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
            self.last_error = described(error)
            log.warning("subscription.seek_failed", reader=self._reader.name, error=self.last_error)

    async def run(self) -> None:
        """Twice a second: holes, backoffs, resets and releases; seldom: whether the topic was emptied."""
        looked, trouble = time.monotonic(), None
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self._reading.pulse.looked()
            consumer = self._consumer()
            if consumer is None:
                continue
            try:
                await self._look_at_checkpoints(consumer)
                await self.seek([tp for tp in consumer.assignment() if tp not in self._generations])
                if time.monotonic() - looked > self._look_seconds:
                    looked = time.monotonic()
                    await self._look_at_ends(consumer)
            except Exception as error:  # noqa: BLE001 - the watch outlives a database or broker that is down
                trouble = self.last_error = described(error)
                self._reading.standstill.forget()
            else:
                if self.last_error == trouble:
                    self.last_error = None

    async def _look_at_checkpoints(self, consumer: AIOKafkaConsumer) -> None:
        for checkpoint in await checkpoints.read_all(self._reader.engine, self._reader.name):
            tp = TopicPartition(checkpoint.topic, checkpoint.partition)
            if tp not in consumer.assignment():
                self.holes.forget(tp)
                continue
            if self._generations.get(tp, checkpoint.generation) != checkpoint.generation:
                self._generations[tp] = checkpoint.generation
                self.holes.forget(tp)
                self.backoffs.succeeded(tp)
                seek(consumer, tp, checkpoint.next_offset)
            if checkpoint.stopped:
                pause(consumer, tp)
            else:
                await self._judge_hole(consumer, tp, checkpoint)
                self._resume(consumer, tp)

    async def _judge_hole(self, consumer: AIOKafkaConsumer, tp: TopicPartition, checkpoint: Checkpoint) -> None:
        """A clock judges a hole, never the next record: on a quiet partition none comes."""
        if not self.holes.has(tp):
            return
        read_up_to = (await positions_of(consumer, [tp]))[tp]
        verdict = self.holes.judge(tp, position=checkpoint.position, read_up_to=read_up_to)
        if verdict is not Verdict.NOTHING:
            log.warning("subscription.hole", reader=self._reader.name, partition=tp.partition, verdict=verdict.value)
        match verdict:
            case Verdict.NOTHING:
                pass
            case Verdict.FROM_CHECKPOINT:
                seek(consumer, tp, checkpoint.next_offset)
            case Verdict.FROM_BEGINNING:
                seek(consumer, tp, 0)
            case Verdict.STOP:
                reason = f"hole: what follows position {checkpoint.position} in the chain is not in the topic"
                await self._reader.stop(tp.topic, tp.partition, reason, position=checkpoint.position)

    def _resume(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        if tp in consumer.paused() and not self.backoffs.waits(tp):
            consumer.resume(tp)

    async def _look_at_ends(self, consumer: AIOKafkaConsumer) -> None:
        """A topic that was emptied ends before where it ended when it was last looked at."""
        assigned = list(consumer.assignment())
        ends = await consumer.end_offsets(assigned) if assigned else {}
        for tp, end in ends.items():
            if end < self._ends.get(tp, 0):
                log.warning("subscription.topic_emptied", reader=self._reader.name, partition=tp.partition)
                seek(consumer, tp, 0)
        self._ends = ends
        paused = consumer.paused()
        self._reading.standstill.look(await positions_of(consumer, [tp for tp in assigned if tp not in paused]), ends)
