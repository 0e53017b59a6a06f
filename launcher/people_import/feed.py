"""The people feed on Kafka: read to its end, and written to until everything is acknowledged."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from launcher.failure import LaunchFailed
from launcher.people_import.roster import Record, Roster
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import Kafka, partitions_of
from shared.runtime.clock import now
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers, feed_type
from shared.schemas.identifiers import PersonId
from shared.schemas.people import COMPENSATION_TOPIC, COMPENSATION_TYPES, TOPIC, TYPES, CompensationRecord, PersonRecord

SOURCE: Final = "trellis/people-import"
_TYPES: Final = TYPES | COMPENSATION_TYPES
_PER_CHUNK: Final = 2_000
_READ_SECONDS: Final = 30.0
"""Without an answer for so long the broker is taken for dead."""

Advance: TypeAlias = Callable[[int], None]
"""Told how many more are done."""


@dataclass(frozen=True, slots=True)
class PeopleFeed:
    """Where the feed is: two compacted topics, keyed by person."""

    kafka: Kafka
    people: str = TOPIC
    compensation: str = COMPENSATION_TOPIC

    async def written(self) -> bool:
        """Whether both topics were ever written to: quick, however long they are.

        Raises:
            LaunchFailed: as `read`.
        """
        async with self._consumer() as consumer:
            for topic in (self.people, self.compensation):
                ends = await consumer.end_offsets(await self._partitions(consumer, topic))
                if not any(ends.values()):
                    return False
        return True

    async def read(self) -> Roster:
        """Both topics from their beginning to their end.

        Raises:
            LaunchFailed: no broker answers, or a topic is not there; the message says what to do.
        """
        roster = Roster()
        async with self._consumer() as consumer:
            await self._read_topic(consumer, self.people, roster)
            await self._read_topic(consumer, self.compensation, roster)
        return roster

    @asynccontextmanager
    async def _consumer(self) -> AsyncGenerator[AIOKafkaConsumer]:
        consumer = self.kafka.consumer()
        try:
            await consumer.start()
            yield consumer
        except (KafkaError, TimeoutError, OSError) as error:
            raise LaunchFailed(f"The people feed at {self.kafka.bootstrap} cannot be read: {error!r}.") from error
        finally:
            await consumer.stop()

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
        partitions = await partitions_of(consumer, topic)
        if not partitions:
            raise LaunchFailed(f"The topic {topic} is not there: `trellis up` creates it.")
        return partitions

    async def _read_topic(self, consumer: AIOKafkaConsumer, topic: str, roster: Roster) -> None:
        partitions = await self._partitions(consumer, topic)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            async with asyncio.timeout(_READ_SECONDS):
                batches = await consumer.getmany(timeout_ms=1_000)
            for records in batches.values():
                for record in records:
                    self._take(record, roster)

    def _take(self, record: ConsumerRecord[bytes, bytes], roster: Roster) -> None:
        """A tombstone forgets; a record of a type that is not known yet is passed over."""
        if record.value is None:
            person = PersonId(UUID((record.key or b"").decode()))
            (roster.people if record.topic == self.people else roster.compensation).pop(person, None)
            return
        event = _TYPES.decode(feed_type(record.headers), record.value)
        if isinstance(event, PersonRecord | CompensationRecord):
            roster.take(event)

    async def publish(self, records: Sequence[Record], advance: Advance = lambda _: None) -> None:
        """Send the records, keyed by person; returns when every one is acknowledged.

        Raises:
            LaunchFailed: the broker did not take them all; importing the file again sends what is missing.
        """
        if not records:
            return
        producer = self.kafka.producer()
        try:
            await producer.start()
            remaining = iter(records)
            while chunk := list(islice(remaining, _PER_CHUNK)):
                await asyncio.gather(*[await self._send(producer, record) for record in chunk])
                advance(len(chunk))
        except (KafkaError, TimeoutError, OSError) as error:
            raise LaunchFailed(
                f"The people feed at {self.kafka.bootstrap} did not take all records: {error!r}. Import the file again."
            ) from error
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer, record: Record) -> asyncio.Future[object]:
        topic = self.people if isinstance(record, PersonRecord) else self.compensation
        headers = feed_headers(record, identity=uuid7(), source=SOURCE, subject=f"person-{record.person}", time=now())
        return await producer.send(topic, encode(record).encode(), key=str(record.person).encode(), headers=headers)
