"""How this process reaches Kafka: one description for producers, consumers and FastStream's broker."""

import asyncio
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.eventsourcing.described import described

_REQUEST_TIMEOUT_MS: Final = 15_000
_RETRY_MS: Final = 500
"""Between two tries of a client. At aiokafka's 100 ms eight workers kept two cores from starting the broker again."""
_METADATA_MS: Final = 10_000
"""How often a consumer asks which partitions there are. At aiokafka's five minutes one that was given none, since its
topic was deleted and created again under it, would have none for as long."""
_CLOSE_SECONDS: Final = 5.0
_POSITION_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """A cluster and what it can do. `assignment="fixed"`: this one worker reads every partition and joins no group."""

    bootstrap: str
    idempotence: bool = True
    assignment: Literal["group", "fixed"] = "group"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ca_file: Path | None = None

    def _ssl_context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca_file) if self.security_protocol.endswith("SSL") else None

    def _client_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol,
            "ssl_context": self._ssl_context(),
        }
        if self.sasl_username is not None:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self.sasl_password,
            }
        return options

    def producer(self) -> AIOKafkaProducer:
        """A producer for one writer: every record acknowledged by all replicas, and not doubled by a resend."""
        return AIOKafkaProducer(
            **self._client_options(),
            acks="all",
            enable_idempotence=self.idempotence,
            linger_ms=0,  # whoever sends a chunk gives it over without a pause: it is in batches before any is sent
            max_batch_size=131_072,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_MS,
        )

    def consumer(self) -> AIOKafkaConsumer:
        """A consumer without a group, for reading what is there."""
        return AIOKafkaConsumer(
            **self._client_options(),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_MS,
        )

    def administrator(self) -> AIOKafkaAdminClient:
        """For creating topics."""
        return AIOKafkaAdminClient(**self._client_options(), request_timeout_ms=_REQUEST_TIMEOUT_MS)

    def broker(self) -> KafkaBroker:
        """FastStream's broker for batch subscribers; it creates no topic."""
        return KafkaBroker(
            self.bootstrap,
            security=self._broker_security(),
            allow_auto_create_topics=False,
            apply_types=False,  # there is nothing to inject, and FastStream would ask a thread of its pool each time
            consumer_only=True,
            graceful_timeout=7,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_MS,
            metadata_max_age_ms=_METADATA_MS,
            logger=None,
        )

    def _broker_security(self) -> BaseSecurity | None:
        if self.security_protocol == "PLAINTEXT":
            return None
        context = self._ssl_context()
        if self.sasl_username is None:
            return BaseSecurity(ssl_context=context)
        kind = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
        return kind[self.sasl_mechanism](
            username=self.sasl_username,
            password=self.sasl_password or "",
            ssl_context=context,
            use_ssl=context is not None,
        )


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """Every partition of a topic, in order; none if it is not there. The consumer is left assigned to the first.

    A consumer asks for the metadata of assigned topics only; before that `partitions_for_topic` answers None (Kafka).
    """
    if topic not in await consumer.topics():
        return []
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.end_offsets([first])
    return [TopicPartition(topic, partition) for partition in sorted(consumer.partitions_for_topic(topic) or ())]


async def positions_of(consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Where each is read on; -1 where nobody knows: a consumer waits for a position until it has an assignment."""

    async def position(tp: TopicPartition) -> int:
        try:
            async with asyncio.timeout(_POSITION_SECONDS):
                return await consumer.position(tp)
        except TimeoutError:
            return -1

    return dict(zip(partitions, await asyncio.gather(*map(position, partitions)), strict=True))


def ends_fetched(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """Where each assigned partition ended when it was last fetched from, without asking the broker."""
    ends = ((tp, consumer.highwater(tp)) for tp in consumer.assignment())
    return {tp: end for tp, end in ends if end is not None}


async def close(*clients: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop clients that may be broken already, each within five seconds."""
    for client in clients:
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await client.stop()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("kafka.close_failed", error=described(error))
