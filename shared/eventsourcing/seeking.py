"""Seeking and pausing partitions that may have been taken away meanwhile."""

import asyncio
import contextlib
from collections.abc import Collection
from typing import Final, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

_HOLD_SECONDS: Final = 0.03


def seek(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> bool:
    """Whether it was still ours to seek."""
    try:
        consumer.seek(tp, offset)
    except (KafkaError, ValueError):
        return False  # revoked meanwhile; its new owner starts from the checkpoint
    return True


def pause(consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
    with contextlib.suppress(KafkaError, ValueError):
        consumer.pause(tp)


def hold(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> None:
    """Read on from here in a moment; other partitions go on meanwhile."""
    if seek(consumer, tp, offset):
        pause(consumer, tp)
        asyncio.get_running_loop().call_later(_HOLD_SECONDS, _resume, consumer, tp)


def _resume(consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
    with contextlib.suppress(KafkaError, ValueError):
        consumer.resume(tp)


class Seeking(Protocol):
    """Whoever knows where to read on."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None: ...
    async def seek(self, assigned: Collection[TopicPartition]) -> None: ...


class SeekOnAssignment(ConsumerRebalanceListener):
    """After a rebalance the checkpoints decide where to read on, not Kafka's offsets.

    `gathering`: this member is joining its group, until it is told its partitions.
    """

    def __init__(self, seeking: Seeking) -> None:
        self.gathering = True
        self._seeking = seeking

    # aiokafka awaits what these return; its base class says they return nothing
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        revoked: Collection[TopicPartition],  # noqa: ARG002 - whichever they are
    ) -> None:
        """The checkpoint's lock fences a slice that is still running."""
        self.gathering = True

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Collection[TopicPartition]
    ) -> None:
        self.gathering = False
        self._seeking.assigned(assigned)
        await self._seeking.seek(assigned)
