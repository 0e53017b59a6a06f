"""Kafka and PostgreSQL in containers, from the official images."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from tests.servers.choice import KAFKA_IMAGE, POSTGRES_IMAGE


class ApacheKafkaContainer(KafkaContainer):
    """KafkaContainer knows Confluent's start scripts only; this one starts apache/kafka by its own."""

    def __init__(self, image: str = KAFKA_IMAGE, **settings: Any) -> None:
        super().__init__(image, **settings)
        self.kraft_enabled = True  # with_kraft() would take the tag for a version of Confluent's
        self.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
        self.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")
        self.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")

    def start(self, timeout: int = 120) -> "ApacheKafkaContainer":
        """On a machine that has other work to do the broker takes longer than the 30 s that are usual."""
        super().start(timeout)
        return self

    def tc_start(self) -> None:
        listeners = f"{self.listener_name}://{self.get_bootstrap_server()},BROKER://$(hostname -i):9092"
        script = f"export KAFKA_ADVERTISED_LISTENERS={listeners}\nexec /etc/kafka/docker/run\n"
        self.create_file(script.encode(), self.TC_START_SCRIPT)


@contextmanager
def kafka_in_container() -> Generator[str]:
    """The bootstrap address."""
    with ApacheKafkaContainer() as container:
        yield container.get_bootstrap_server()


@contextmanager
def postgres_in_container() -> Generator[str]:
    """The DSN of its administrator."""
    container = PostgresContainer(POSTGRES_IMAGE, driver=None)
    with container.with_command("-c fsync=off -c full_page_writes=off -c max_connections=300") as running:
        yield running.get_connection_url()
