"""Topics of a service as a new installation has them: empty, whatever an earlier test published to them."""

from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient

from launcher.topic_creation import create_topics
from launcher.topics import Topic
from tests.integration.eventsourcing.running import until


async def create_empty(bootstrap: str, topics: Sequence[Topic]) -> None:
    """Delete those that are there and create all: a service's topics have fixed names, and tests share a broker."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = {topic.name for topic in topics}
        await admin.delete_topics(sorted(wanted & set(await admin.list_topics())))
        await until(lambda: _gone(admin, wanted), what="the topics are deleted")
    finally:
        await admin.close()
    await create_topics(bootstrap, topics)


async def _gone(admin: AIOKafkaAdminClient, topics: set[str]) -> bool:
    return not topics & set(await admin.list_topics())
