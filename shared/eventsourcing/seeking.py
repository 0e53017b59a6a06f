"""Seeking and pausing partitions that may have been taken away meanwhile, and whether they are read at all."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

STALLED_SECONDS: Final = 300.0
"""Longer than all partitions of a batch take when the server cuts off each of their transactions."""
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


class Standstill:
    """Which partitions have records that nobody fetches, and since when: a consumer may stop without a word."""

    def __init__(self) -> None:
        self._behind: dict[TopicPartition, tuple[int, float]] = {}

    def look(self, read: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        """Compare where the consumer reads on with where the partitions end; those not given are forgotten."""
        now = time.monotonic()
        behind = {tp: position for tp, position in read.items() if position < ends.get(tp, 0)}
        before = self._behind
        self._behind = {
            tp: before[tp] if tp in before and before[tp][0] == position else (position, now)
            for tp, position in behind.items()
        }

    def lasts(self, seconds: float = STALLED_SECONDS) -> bool:
        return any(time.monotonic() - since > seconds for _, since in self._behind.values())
