"""Topics, created explicitly and once."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from launcher.failure import LaunchFailed
from launcher.topics import Topic

_NO_ERROR: Final = 0
_ALREADY_EXISTS: Final = 36
_MOST_REPLICAS: Final = 3


async def create_topics(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Creates those that are not there and returns when all can be used.

    One that is there with another number of partitions is refused.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        brokers: dict[str, Any] = await admin.describe_cluster()
        await _create(admin, topics, min(_MOST_REPLICAS, len(brokers["brokers"])))
        await _require_partitions(admin, topics)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication: int) -> None:
    wanted = [
        NewTopic(topic.name, topic.partitions, replication, topic_configs=dict(topic.settings)) for topic in topics
    ]
    answer: Any = await admin.create_topics(wanted, timeout_ms=20_000)
    for name, code, *_ in answer.topic_errors:
        if code not in {_NO_ERROR, _ALREADY_EXISTS}:
            raise LaunchFailed(f"The broker did not create the topic {name}: {for_code(code).__name__}.")


async def _require_partitions(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    found = await _partitions(admin, topics)
    async with asyncio.timeout(20):
        while not all(found.values()):
            await asyncio.sleep(0.02)
            found = await _partitions(admin, topics)
    for topic in topics:
        if found[topic.name] != topic.partitions:
            raise LaunchFailed(
                f"The topic {topic.name} has {found[topic.name]} partitions instead of {topic.partitions}. "
                "A topic cannot grow without losing its order: take another cluster, or delete that topic."
            )


async def _partitions(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> dict[str, int]:
    """How many each has; 0 while one of them has no leader, which takes a moment after the creation."""
    described = await admin.describe_topics([topic.name for topic in topics])
    return {
        entry["topic"]: len(entry["partitions"]) * all(part["leader"] >= 0 for part in entry["partitions"])
        for entry in described
    }
