"""Publishes payroll's recorded answers on `payroll.events`: at least once, each time byte for byte the same."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from consumers.payroll.books import Books, RecordedAnswer
from shared.schemas.feed import feed_headers
from shared.schemas.payroll import TOPIC, TYPES


def producer(bootstrap: str, *, idempotence: bool) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=idempotence,
        linger_ms=5,
        request_timeout_ms=15_000,
    )


async def publish_recorded(books: Books, kafka: AIOKafkaProducer, topic: str = TOPIC) -> int:
    """Publish what is recorded and not yet published; how many. What fails stays recorded and is tried again."""
    with books.transaction():
        answers = books.unpublished()
    if not answers:
        return 0
    await _send(kafka, topic, answers)
    with books.transaction():
        books.published(answers)
    return len(answers)


async def _send(kafka: AIOKafkaProducer, topic: str, answers: Sequence[RecordedAnswer]) -> None:
    futures: list[Any] = [
        await kafka.send(topic, value=answer.data.encode(), key=str(answer.payment).encode(), headers=headers(answer))
        for answer in answers
    ]
    await asyncio.gather(*futures)


def headers(answer: RecordedAnswer) -> list[tuple[str, bytes]]:
    """CloudEvents headers; a pure function of what is recorded."""
    return feed_headers(
        TYPES.models[answer.type].model_validate_json(answer.data),
        identity=answer.id,
        source="/payroll",
        subject=f"payment-{answer.payment}",
        time=answer.recorded_at,
    )
