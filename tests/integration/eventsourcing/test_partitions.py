"""A consumer that was told of no topic finds out which partitions one has."""

import pytest

from launcher.brokers.broker import Broker
from shared.eventsourcing.kafka import Kafka, partitions_of
from tests.conftest import NewTopic

pytestmark = pytest.mark.kafka


async def test_the_partitions_of_a_topic_are_known_and_a_missing_topic_has_none(
    kafka: Broker, new_topic: NewTopic
) -> None:
    topics = [await new_topic(partitions=3), await new_topic(partitions=12)]
    consumer = Kafka(bootstrap=kafka.bootstrap, idempotence=kafka.idempotent_producer).consumer()
    await consumer.start()
    try:
        found = {topic: await partitions_of(consumer, topic) for topic in [*topics, "nowhere"]}
    finally:
        await consumer.stop()
    assert {topic: [place.partition for place in places] for topic, places in found.items()} == {
        topics[0]: [0, 1, 2],
        topics[1]: list(range(12)),
        "nowhere": [],
    }
