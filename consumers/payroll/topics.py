"""What a topic is made of and how much it holds."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

_FETCH_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 3.0


class TopicMissing(Exception):  # noqa: N818 - named for the fact
    """A topic is not there (yet)."""


async def require(consumer: AIOKafkaConsumer, topic: str) -> None:
    """Do nothing if the topic is there.

    Raises:
        TopicMissing: there is no such topic.
    """
    if topic not in await consumer.topics():
        raise TopicMissing(f"topic {topic} does not exist")


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The topic's partitions. The consumer is left assigned to the first: it asks of assigned topics alone.

    Raises:
        TopicMissing: there is no such topic.
    """
    await require(consumer, topic)
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.end_offsets([first])
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or (0,))]


async def stop(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stop a client, not for ever: a fetch that swallows its cancellation would be waited for without an end."""
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            await client.stop()


async def count_records(bootstrap: str, topic: str) -> int:
    """How many records the topic holds now.

    The end that a broker reports may be the base offset of the last batch plus 1, so that batch is fetched: what
    comes with it is the true end, the high watermark.

    Raises:
        TopicMissing: there is no such topic.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, request_timeout_ms=15_000)
    try:
        await consumer.start()
        partitions = await partitions_of(consumer, topic)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        filled = {partition: end - 1 for partition, end in ends.items() if end > beginnings[partition]}
        watermarks = await _watermarks(consumer, filled)
    finally:
        await stop(consumer)
    return sum(watermark - beginnings[partition] for partition, watermark in watermarks.items())


async def _watermarks(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Each partition's high watermark, as a fetch from this offset on tells it."""
    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    found: dict[TopicPartition, int] = {}
    async with asyncio.timeout(_FETCH_SECONDS):
        while len(found) < len(offsets):
            for partition in await consumer.getmany(timeout_ms=200):
                found[partition] = consumer.highwater(partition) or 0
    return found
