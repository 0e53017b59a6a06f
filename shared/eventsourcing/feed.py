"""Feeds that are not ours carry no chain: read from the beginning at every start, in a way that may repeat."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import dead_letters
from shared.eventsourcing.causes import cause_of
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.kafka import Kafka, close, partitions_of, positions_of
from shared.eventsourcing.line_ids import ids_in
from shared.eventsourcing.reading import Reading
from shared.schemas.envelope import Headers

_LOOK_SECONDS: Final = 5.0
_START_SECONDS: Final = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """A record of a feed; a value of None is a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that cannot be applied, and why; the others of its batch were."""

    record: FeedRecord
    error: Exception


ApplyFeed: TypeAlias = Callable[[AsyncEngine, Sequence[FeedRecord]], Awaitable[Sequence[RefusedRecord] | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A topic of another publisher. `apply` may repeat: it upserts by id and revision or is idempotent.

    It may tell which records it refused; when it raises, the records are tried one by one to find the culprit.
    """

    name: str
    topic: str
    apply: ApplyFeed
    needed: bool = True
    """Whether a worker is ready only when it has been read: what others are decided by."""


class FeedReader:
    """Reads one feed from its beginning, for ever; offsets never decide."""

    def __init__(self, engine: AsyncEngine, kafka: Kafka, feed: Feed) -> None:
        self.feed = feed
        self.caught_up = asyncio.Event()
        self.last_error: str | None = None
        self.last_poll = time.monotonic()
        self.records = 0
        self.reading = Reading(f"feed {feed.name}")
        self._engine = engine
        self._kafka = kafka
        self._looked = time.monotonic()
        self._ends: dict[TopicPartition, int] = {}
        self._parked: set[tuple[int, int]] = set()
        self._given_up: set[tuple[int, int, bytes]] = set()

    async def run(self) -> None:
        """Read until cancelled; after a failure, begin again."""
        failures = 0
        while True:
            try:
                await self._read()
            except (Exception, asyncio.CancelledError) as error:
                if not _may_pass(error):
                    raise
                failures = min(failures + 1, 6)
                self.last_error = described(error)
                log.warning("feed.failed", feed=self.feed.name, error=self.last_error)
                self.reading.pulse.looked()
                self.reading.standstill.forget()
                await asyncio.sleep(min(5.0, 0.1 * 2**failures) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _read(self) -> None:
        async with self._engine.connect() as connection:
            self._parked = await dead_letters.places(connection, self.feed.name, self.feed.topic)
            self._given_up = await dead_letters.given_up(connection, self.feed.name, self.feed.topic)
        consumer = self._kafka.consumer()
        try:
            async with asyncio.timeout(_START_SECONDS):
                await consumer.start()
                partitions = await self._assign(consumer)
                ends = await consumer.end_offsets(partitions)
            while True:
                batch = await consumer.getmany(timeout_ms=100, max_records=1_000)
                self.last_poll = time.monotonic()
                self.reading.pulse.looked()
                records = [_record(record) for part in batch.values() for record in part]
                if records:
                    with self.reading.slice():
                        await self._apply(records)
                    self.records += len(records)
                    self.last_error = None
                if not self.caught_up.is_set() and await self._reached(consumer, ends):
                    self.caught_up.set()
                if not records and time.monotonic() - self._looked > _LOOK_SECONDS:
                    await self._look(consumer, partitions)
        finally:
            await close(consumer)

    async def _assign(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        self._looked, self._ends = time.monotonic(), {}
        partitions = await partitions_of(consumer, self.feed.topic)
        if not partitions:
            raise _TopicMissing(f"topic {self.feed.topic} does not exist")
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        return partitions

    async def _reached(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
        reached = await positions_of(consumer, ends.keys())
        return all(reached[tp] >= end for tp, end in ends.items())

    async def _look(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        """A topic that was emptied ends before where it ended when it was last looked at."""
        self._looked = time.monotonic()
        async with asyncio.timeout(_START_SECONDS):
            ends = await consumer.end_offsets(partitions)
            for tp, end in ends.items():
                if end < self._ends.get(tp, 0):
                    await consumer.seek_to_beginning(tp)
            self._ends = ends
            self.reading.standstill.look(await positions_of(consumer, partitions), ends)

    async def _apply(self, records: Sequence[FeedRecord]) -> None:
        if self._given_up:
            records = [record for record in records if dead_letters.identity_of(record) not in self._given_up]
        if not records:
            return
        try:
            await self._apply_and_park(records)
        except Exception as error:
            if _may_pass(error):
                raise
            await self._apply_one_by_one(records)

    async def _apply_and_park(self, records: Sequence[FeedRecord]) -> None:
        refused = await self.feed.apply(self._engine, records) or ()
        for one in refused:
            await self._park(one.record, one.error)
        places = {(one.record.partition, one.record.offset) for one in refused}
        await self._take_out([record for record in records if (record.partition, record.offset) not in places])

    async def _apply_one_by_one(self, records: Sequence[FeedRecord]) -> None:
        """Find the culprit: what cannot be applied is parked, the others go on."""
        for record in records:
            try:
                await self._apply_and_park([record])
                self.reading.transaction_ended()
            except Exception as error:
                if _may_pass(error):
                    raise
                await self._park(record, error)

    async def _park(self, record: FeedRecord, error: Exception) -> None:
        cause = cause_of(error, record.value)
        where = {"partition": record.partition, "offset": record.offset} | ids_in(record.headers)
        log.error("feed.parked", feed=self.feed.name, **where, error=cause.error, waiting_for=cause.waiting_for)
        async with self._engine.begin() as connection:
            await dead_letters.park(connection, self.feed.name, record, stream=None, cause=cause, key=record.key)
        self._parked.add((record.partition, record.offset))

    async def _take_out(self, records: Sequence[FeedRecord]) -> None:
        """What was parked before and can be applied now is a dead letter no more."""
        again = [record for record in records if (record.partition, record.offset) in self._parked]
        if again:
            async with self._engine.begin() as connection:
                for record in again:
                    await dead_letters.remove_applied(connection, self.feed.name, record)
            self._parked.difference_update((record.partition, record.offset) for record in again)


class _TopicMissing(Exception):  # noqa: N818 - named for the fact
    """The feed's topic is not there (yet)."""


def _may_pass(error: BaseException) -> bool:
    """Whether reading again may help; it says nothing of the record. A client that is closing cancels its callers."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() == 0
    return is_transient(error) or isinstance(error, KafkaError | Conflict | _TopicMissing)


def _record(record: Any) -> FeedRecord:
    return FeedRecord(record.topic, record.partition, record.offset, record.key, record.value, record.headers)
