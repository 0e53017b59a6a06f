"""Reads every topic from its first record to what was its end when the reading began."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.analytics.tally import ChainTally, FeedTally
from shared.schemas import feedback, goals, payroll, reviews, rewards

CHAINED: Final = (goals.TOPIC, feedback.TOPIC, reviews.TOPIC, rewards.TOPIC)
FEEDS: Final = (payroll.TOPIC,)
"""The people feed is not read: it holds names and pay, and analytics works with pseudonyms."""
_ANSWER_SECONDS: Final = 60.0

Tallies: TypeAlias = Mapping[TopicPartition, ChainTally | FeedTally]


class TopicMissing(Exception):  # noqa: N818 - named for the fact
    """A topic is not there."""


async def tally(bootstrap: str, *, chained: Iterable[str] = CHAINED, feeds: Iterable[str] = FEEDS) -> Tallies:
    """Everything in the topics, partition by partition.

    Raises:
        TopicMissing: a topic is not there; it is named.
        aiokafka.errors.KafkaError, TimeoutError: the broker does not answer.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        tallies: dict[TopicPartition, ChainTally | FeedTally] = {}
        for topic in chained:
            tallies |= {partition: ChainTally() for partition in await partitions_of(consumer, topic)}
        for topic in feeds:
            tallies |= {partition: FeedTally() for partition in await partitions_of(consumer, topic)}
        await _read(consumer, tallies)
    finally:
        await consumer.stop()
    return tallies


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The topic's partitions: a consumer learns of them when it is assigned one.

    Raises:
        TopicMissing: it is not there.
    """
    if topic not in await consumer.topics():
        raise TopicMissing(topic)
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.end_offsets([first])
    return [TopicPartition(topic, partition) for partition in sorted(consumer.partitions_for_topic(topic) or ())]


async def _read(consumer: AIOKafkaConsumer, tallies: Tallies) -> None:
    partitions = list(tallies)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    while any([await consumer.position(partition) < end for partition, end in ends.items()]):
        async with asyncio.timeout(_ANSWER_SECONDS):
            batches = await consumer.getmany(timeout_ms=500)
        for partition, batch in batches.items():
            for record in batch:
                tallies[partition].take(record)
