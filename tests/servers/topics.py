"""Topics of a service as a new installation has them: empty, whatever an earlier test published to them."""

from collections.abc import Collection, Sequence

from aiokafka.admin import AIOKafkaAdminClient

from launcher.topic_creation import create_topics
from launcher.topics import Topic
from tests.integration.eventsourcing.running import until


async def create_empty(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Delete those that are there and create all: a service's topics have fixed names, and tests share a broker."""
    await delete(bootstrap, [topic.name for topic in topics])
    await create_topics(bootstrap, topics)


async def delete(bootstrap: str, topics: Collection[str]) -> None:
    """Those that are there are gone when this returns."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(sorted(set(topics) & set(await admin.list_topics())))
        await until(lambda: _gone(admin, topics), what="the topics are deleted")
    finally:
        await admin.close()


async def _gone(admin: AIOKafkaAdminClient, topics: Collection[str]) -> bool:
    return not set(topics) & set(await admin.list_topics())
