"""Where the partitions of topics end, asked of the broker for an answer to a person."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from aiokafka.errors import KafkaError

from shared.eventsourcing.kafka import Kafka, close, partitions_of

Ends: TypeAlias = Mapping[tuple[str, int], int]
"""The offset behind the last record, by topic and partition."""
_SECONDS: Final = 3.0


async def ends_of(kafka: Kafka, topics: Iterable[str]) -> Ends | None:
    """The ends of the topics' partitions; none if the broker does not answer soon."""
    ends: dict[tuple[str, int], int] = {}
    consumer = kafka.consumer()
    try:
        async with asyncio.timeout(_SECONDS):
            await consumer.start()
            for topic in sorted(topics):
                found = await consumer.end_offsets(await partitions_of(consumer, topic))
                ends |= {(tp.topic, tp.partition): end for tp, end in found.items()}
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await close(consumer)
    return ends
