"""Refill: the relay is told to publish again what a topic has lost; what nobody lost is left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.verification import Verification

_REFILLABLE: Final = ("missing", "misplaced")
_FORGET: Final = text("update chain set position = 0, event_id = null where partition = any(:partitions)")
_BEGIN: Final = text(
    "update log set position = 0, epoch = epoch + 1, expires_at = '-infinity', state = 'refilling', error = null"
)


class RefillRefused(Exception):  # noqa: N818 - the word of the domain
    """Nothing is missing in the topic, or something is wrong that publishing again does not mend."""


@dataclass(frozen=True, slots=True)
class Refill:
    """The partitions that are published again from their beginning, and up to which position of the log."""

    partitions: Sequence[int]
    horizon: int


async def refill(engine: AsyncEngine, verification: Verification) -> Refill:
    """Have the relay publish the partitions again in which records are missing, from the first event on.

    What is still there comes twice: byte-equal duplicates, which every consumer skips by the chain. The relay that has
    the lead loses it, and whoever takes it begins.

    Raises:
        RefillRefused: the topic is full, or holds what the store does not.
    """
    topic = verification.topic
    if verification.sound:
        raise RefillRefused(
            f"{topic} is full: all {verification.events} events up to position {verification.horizon} are there. "
            "Nothing was changed."
        )
    worse = [difference for difference in verification.differences if difference.kind not in _REFILLABLE]
    if worse:
        raise RefillRefused(
            f"{topic} is not just emptied: at position {worse[0].position}, {worse[0].what}. Publishing again does not "
            "mend that; `trellis log fork` publishes everything as a new log. Nothing was changed."
        )
    partitions = sorted({d.partition for d in verification.differences if d.partition is not None})
    async with engine.begin() as connection:
        await connection.execute(_BEGIN)
        await connection.execute(_FORGET, {"partitions": partitions})
    return Refill(partitions, verification.horizon)
