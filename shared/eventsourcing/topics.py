"""The topic of a log: created explicitly and once, by the migration; clients create none."""

import asyncio
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.kafka import Kafka

_FOR_EVER: Final = {"retention.ms": "-1", "cleanup.policy": "delete"}
_USABLE_SECONDS: Final = 20
_REPLICAS: Final = 3
"""At most: a cluster of fewer brokers gets one replica on each."""


async def ensure_log_topic(kafka: Kafka, topic: str, *, partitions: int) -> None:
    """Create the topic unless it is there, and return when it can be used; its records are kept for ever.

    Raises:
        WrongPartitionCount: it is there with another number of partitions.
        KafkaError: the cluster does not answer, or refuses.
        TimeoutError: the new topic has no leaders after 20 s.
    """
    admin = kafka.administrator()
    await admin.start()
    try:
        found = len(await _leaders(admin, topic))
        if found == 0:
            await _create(admin, topic, partitions)
            await _until_usable(admin, topic)
        elif found != partitions:
            raise WrongPartitionCount(topic, expected=partitions, actual=found)
    finally:
        await admin.close()


async def _leaders(admin: AIOKafkaAdminClient, topic: str) -> list[int]:
    """The leader of each partition, -1: none. Asking for one topic by name may create it, so all are asked for."""
    described = next((t["partitions"] for t in await admin.describe_topics() if t["topic"] == topic), [])
    return [partition["leader"] for partition in described]


async def _create(admin: AIOKafkaAdminClient, topic: str, partitions: int) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    answer: Any = await admin.create_topics(
        [NewTopic(topic, partitions, min(_REPLICAS, brokers), topic_configs=_FOR_EVER)]
    )
    for _, code, *message in answer.topic_errors:
        error: type[KafkaError] = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(*message)


async def _until_usable(admin: AIOKafkaAdminClient, topic: str) -> None:
    async with asyncio.timeout(_USABLE_SECONDS):
        leaders: list[int] = []
        while min(leaders, default=-1) < 0:
            await asyncio.sleep(0.05)
            leaders = await _leaders(admin, topic)
