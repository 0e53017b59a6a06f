"""Batches of records on their way to a topic: filled here, a partition each, and handed over whole.

`AIOKafkaProducer.send` makes a future, a task switch and a lookup a record, which cost more than the record.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that the broker has: where its last record is."""

    partition: int
    offset: int


class Batches:
    """Records of one chunk; the records of a partition keep their order."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer: Any = producer
        self._topic = topic
        self._filling: dict[int, Any] = {}
        self._handed_over: list[tuple[int, int, asyncio.Future[Any]]] = []

    async def add(
        self,
        partition: int,
        key: bytes | None,
        value: bytes,
        *,
        headers: Sequence[tuple[str, bytes]],
        timestamp_ms: int | None,
    ) -> None:
        """Put a record behind those of its partition; a batch that is full is handed over first.

        Raises:
            KafkaError: the producer cannot take it.
        """
        record = {"key": key, "value": value, "headers": headers, "timestamp": timestamp_ms}
        batch = self._filling.get(partition)
        if batch is not None and batch.append(**record) is not None:
            return
        if batch is not None:
            await self._hand_over(partition)
        batch = self._filling[partition] = self._producer.create_batch()
        batch.append(**record)  # the first is taken whatever its size

    async def _hand_over(self, partition: int) -> None:
        batch = self._filling.pop(partition)
        batch.close()
        future = await self._producer.send_batch(batch, self._topic, partition=partition)
        self._handed_over.append((partition, batch.record_count(), future))

    async def acknowledged(self) -> list[Sent]:
        """Hand over what is left and wait until the broker has every record.

        Raises:
            KafkaError: a batch failed: the first failure is the failure of all.
        """
        for partition in list(self._filling):
            await self._hand_over(partition)
        results = await asyncio.gather(*(future for _, _, future in self._handed_over), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [
            Sent(partition, result.offset + count - 1)
            for (partition, count, _), result in zip(self._handed_over, results, strict=True)
            if not isinstance(result, BaseException)
        ]
