"""Who is in a consumer group, as its coordinator knows it: a consumer that fell out of it may not."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer

from shared.eventsourcing.kafka import Kafka

_ASK_SECONDS: Final = 15.0
_SETTLED: Final = frozenset({"Stable", "Empty", "Dead"})


async def members_of(kafka: Kafka, groups: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The member ids of each group that is settled; one that is being put together is left out.

    Raises:
        KafkaError, OSError, TimeoutError: the cluster does not answer.
    """
    administrator = kafka.administrator()
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            await administrator.start()
            answers: list[Any] = []
            for group in sorted(groups):  # one by one: aiokafka cannot read an answer about several
                answers += cast("Sequence[Any]", await administrator.describe_consumer_groups([group]))
    finally:
        await administrator.close()
    described = [group for answer in answers for group in answer.groups]
    return {
        group[1]: frozenset(member[0] for member in group[5])
        for group in described
        if group[0] == 0 and group[2] in _SETTLED
    }


def member_id(consumer: AIOKafkaConsumer | None) -> str:
    """What the consumer takes itself for; empty while it is joining."""
    coordinator: Any = getattr(consumer, "_coordinator", None)  # told nowhere else
    return str(getattr(coordinator, "member_id", ""))
