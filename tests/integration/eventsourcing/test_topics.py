"""The migration's topic: created once, kept for ever, refused with another number of partitions."""

from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from launcher.brokers.broker import Broker
from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.topics import ensure_log_topic

pytestmark = pytest.mark.kafka


def cluster(broker: Broker) -> Kafka:
    return Kafka(bootstrap=broker.bootstrap, idempotence=broker.idempotent_producer)


async def test_a_topic_is_created_once_and_with_its_partitions(kafka: Broker) -> None:
    topic = f"test-{uuid7().hex}"
    for _ in range(2):
        await ensure_log_topic(cluster(kafka), topic, partitions=12)
    with pytest.raises(WrongPartitionCount, match="has 12 partitions"):
        await ensure_log_topic(cluster(kafka), topic, partitions=6)


@pytest.mark.apache
async def test_the_records_of_a_log_are_kept_for_ever(kafka: Broker) -> None:
    topic = f"test-{uuid7().hex}"
    await ensure_log_topic(cluster(kafka), topic, partitions=1)
    administrator = cluster(kafka).administrator()
    await administrator.start()
    answer: Any
    (answer,) = await administrator.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await administrator.close()
    settings = {name: value for name, value, *_ in answer.resources[0][4]}
    assert settings["retention.ms"] == "-1"
    assert settings["cleanup.policy"] == "delete"
