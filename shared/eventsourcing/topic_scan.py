"""A topic read from its beginning, each partition as far as it is asked for, in constant memory."""

import asyncio
import time
from collections import deque
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.kafka import Kafka, close, partitions_of

_START_SECONDS: Final = 15.0
_DELIVERY_SECONDS: Final = 20.0
_DRY_SECONDS: Final = 0.5
"""How long nothing must come behind the reported end: the embedded broker reports that of the batch before the last."""
_MANY, _FEW = 2_000, 500  # records of a partition in memory: it is paused above, and goes on below


class KafkaSilent(Exception):  # noqa: N818 - named for the fact
    """Kafka cannot be read now, or the topic is not there; the message says which."""


class TopicScan:
    """Every record of a topic's partitions, in the order of their offsets. Use it as an asynchronous context."""

    def __init__(self, kafka: Kafka, topic: str, *, partitions: int) -> None:
        self._kafka = kafka
        self._topic = topic
        self._places = [TopicPartition(topic, p) for p in range(partitions)]
        self._consumer: AIOKafkaConsumer = kafka.consumer()
        self._read: dict[TopicPartition, deque[Any]] = {tp: deque() for tp in self._places}
        self._ends: dict[TopicPartition, int] = {}
        self._dry_since: dict[TopicPartition, float] = {}

    async def __aenter__(self) -> Self:
        """Go to the beginning.

        Raises:
            KafkaSilent: the broker does not answer, or has no such topic.
            WrongPartitionCount: the topic has another number of partitions.
        """
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._consumer.start()
                await self._go_to_the_beginning()
        except BaseException as error:
            await close(self._consumer)
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise KafkaSilent(f"Kafka does not answer at {self._kafka.bootstrap}: {error or 'timeout'}") from error
            raise
        return self

    async def _go_to_the_beginning(self) -> None:
        found = await partitions_of(self._consumer, self._topic)
        if not found:
            raise KafkaSilent(f"Kafka at {self._kafka.bootstrap} has no topic {self._topic}: run the migration job")
        if found != self._places:
            raise WrongPartitionCount(self._topic, expected=len(self._places), actual=len(found))
        self._consumer.assign(self._places)
        self._ends = await self._consumer.end_offsets(self._places)
        await self._consumer.seek_to_beginning(*self._places)

    async def __aexit__(self, *_: object) -> None:
        await close(self._consumer)

    async def next(self, partition: int) -> Any | None:
        """The partition's next record; None: it ends here, as far as it went when the scan began.

        Raises:
            KafkaSilent: there is more, and it does not come.
        """
        place = self._places[partition]
        records = self._read[place]
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while not records:
            if self._is_dry(place):
                return None
            if time.monotonic() > deadline:
                raise KafkaSilent(
                    f"Kafka at {self._kafka.bootstrap} delivers nothing more of {self._topic}/{partition}"
                )
            await self._fetch()
        record = records.popleft()
        if len(records) < _FEW and place in self._consumer.paused():
            self._consumer.resume(place)
        return record

    def _is_dry(self, place: TopicPartition) -> bool:
        return time.monotonic() - self._dry_since.get(place, time.monotonic()) > _DRY_SECONDS

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_DELIVERY_SECONDS):
                for place, records in (await self._consumer.getmany(timeout_ms=100)).items():
                    self._read[place].extend(records)
                    self._dry_since.pop(place, None)
                    if len(self._read[place]) > _MANY:
                        self._consumer.pause(place)
                for place, end in self._ends.items():
                    if not self._read[place] and await self._consumer.position(place) >= end:
                        self._dry_since.setdefault(place, time.monotonic())
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaSilent(f"Kafka at {self._kafka.bootstrap} stopped answering: {error or 'timeout'}") from error
