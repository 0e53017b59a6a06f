"""The brokers that the launcher starts: what they keep, what they can do, and how they fail."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from launcher.brokers import apache, embedded, existing
from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.process import free_port
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.eventsourcing.identifiers import uuid7
from tests.conftest import NewTopic

pytestmark = pytest.mark.kafka
EVENTS = Topic("events", partitions=3)


@pytest.fixture
def folder(server_folder: Path) -> Path:
    return server_folder / f"broker-{uuid7().hex}"


@pytest.fixture
def tansu(folder: Path) -> Iterator[Broker]:
    broker = embedded.start(folder)
    yield broker
    broker.stop()


async def send(broker: Broker, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=broker.idempotent_producer
    )
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=1)
    finally:
        await producer.stop()


async def read(broker: Broker, topic: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
    partition = TopicPartition(topic, 1)
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        records: list[bytes | None] = []
        while len(records) < end:
            fetched = await consumer.getmany(timeout_ms=200)
            records += [record.value for record in fetched.get(partition, [])]
        return records
    finally:
        await consumer.stop()


async def test_what_is_sent_is_read(kafka: Broker, new_topic: NewTopic) -> None:
    topic = await new_topic(partitions=3)
    await send(kafka, topic, b"one")
    await send(kafka, topic, b"two")
    assert await read(kafka, topic) == [b"one", b"two"]


async def test_creating_a_topic_again_changes_nothing(kafka: Broker) -> None:
    topic = Topic(f"test-{uuid7().hex}", partitions=2)
    await create_topics(kafka.bootstrap, [topic])
    await send(kafka, topic.name, b"kept")
    await create_topics(kafka.bootstrap, [topic])
    assert await read(kafka, topic.name) == [b"kept"]


async def test_a_topic_with_other_partitions_is_refused(kafka: Broker) -> None:
    name = f"test-{uuid7().hex}"
    await create_topics(kafka.bootstrap, [Topic(name, partitions=2)])
    with pytest.raises(LaunchFailed, match="has 2 partitions instead of 12"):
        await create_topics(kafka.bootstrap, [Topic(name)])


@pytest.mark.apache
async def test_a_killed_apache_kafka_starts_again_with_its_topics(folder: Path) -> None:
    if not apache.available():
        pytest.skip("no Java and Maven")
    broker = apache.start(folder)
    try:
        await create_topics(broker.bootstrap, [EVENTS])
        await send(broker, EVENTS.name, b"kept")
        assert broker.process is not None
        broker.process.kill()
        assert not broker.alive()
        broker = apache.start(folder)
        assert await read(broker, EVENTS.name) == [b"kept"]
    finally:
        broker.stop()


async def test_the_embedded_broker_starts_again_empty(folder: Path, tansu: Broker) -> None:
    await create_topics(tansu.bootstrap, [EVENTS])
    await send(tansu, EVENTS.name, b"lost")
    assert tansu.process is not None
    tansu.process.kill()
    again = embedded.start(folder)
    try:
        await create_topics(again.bootstrap, [EVENTS])
        assert await read(again, EVENTS.name) == []
    finally:
        again.stop()


def test_a_stopped_broker_is_not_alive(tansu: Broker) -> None:
    assert tansu.alive()
    tansu.stop()
    assert not tansu.alive()


def test_a_port_in_use_is_named(folder: Path, tansu: Broker) -> None:
    port = int(tansu.bootstrap.rpartition(":")[2])
    with pytest.raises(LaunchFailed, match=f"Port {port}, wanted for the broker, is in use"):
        embedded.start(folder, port=port)


def test_a_cluster_that_does_not_answer_is_named() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(LaunchFailed, match=f"Nobody answers at {address}"):
        existing.connect(address)


@pytest.mark.parametrize("text", ["apahce", "localhost", "localhost:", ":9092", "localhost:99999"])
def test_a_misspelt_broker_is_named(text: str) -> None:
    with pytest.raises(LaunchFailed, match="is no broker: write embedded, apache, or HOST:PORT"):
        existing.connect(text)


def test_without_java_the_way_out_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert shutil.which("java") is None
    with pytest.raises(LaunchFailed, match="needs Java, and there is no `java` on the PATH"):
        apache.start(folder)
