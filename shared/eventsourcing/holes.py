"""Holes in partitions, judged by a clock: a failing relay's re-send heals them; if none comes, they are looked for."""

import time
from dataclasses import dataclass
from enum import Enum
from typing import Final

from aiokafka.structs import TopicPartition

from shared.eventsourcing.progress import Progress

HOLE_SECONDS: Final = 3.0
"""How long a hole may take to heal by the relay's re-send before it is looked for."""
_BEFORE_STOPPING: Final = 10
"""So many times as long before what was looked for in vain stops its partition: an emptied topic may be filled."""


class Verdict(Enum):
    """What to do about a hole now."""

    NOTHING = "nothing"
    FROM_CHECKPOINT = "seek to the checkpoint"
    FROM_BEGINNING = "seek to the beginning"
    STOP = "stop the partition"


@dataclass(slots=True)
class _Hole:
    since: float
    position: int
    offset: int
    read_to: int
    tries: int = 0


class Holes:
    """The holes that one consumer saw: behind which position, and up to which offset it had read then."""

    def __init__(self, *, seconds: float = HOLE_SECONDS) -> None:
        self._seconds = seconds
        self._holes: dict[TopicPartition, _Hole] = {}

    def note(self, tp: TopicPartition, progress: Progress, *, offset: int) -> None:
        """What a slice whose last record has this offset says of its partition."""
        if progress.hole:
            self.seen(tp, position=progress.position, offset=offset)
        else:
            self.passed(tp, position=progress.position)
        if progress.repeated:
            self.sent_again(tp, offset=offset)

    def seen(self, tp: TopicPartition, *, position: int, offset: int) -> None:
        """What follows `position` was missing when `offset` was read; the clock runs from the first time."""
        hole = self._holes.get(tp)
        if hole is None or hole.position != position:
            self._holes[tp] = _Hole(time.monotonic(), position, offset, read_to=offset)

    def passed(self, tp: TopicPartition, *, position: int) -> None:
        """Records were read; a hole has healed only if they moved the position on."""
        hole = self._holes.get(tp)
        if hole is not None and hole.position != position:
            del self._holes[tp]

    def sent_again(self, tp: TopicPartition, *, offset: int) -> None:
        """Records came again, up to this offset: further on than any before, so that a relay is filling the topic."""
        hole = self._holes.get(tp)
        if hole is not None and offset > hole.read_to:
            hole.since, hole.read_to = time.monotonic(), offset

    def has(self, tp: TopicPartition) -> bool:
        return tp in self._holes

    def forget(self, tp: TopicPartition) -> None:
        """Another worker has the partition, or it is read from the beginning."""
        self._holes.pop(tp, None)

    def judge(self, tp: TopicPartition, *, position: int, read_up_to: int) -> Verdict:
        """Each time the clock runs out: search from the checkpoint, then from the beginning, then stop.

        `read_up_to` is where the consumer reads on: a search that is not yet back where the hole was seen goes on.
        """
        self.passed(tp, position=position)
        hole = self._holes.get(tp)
        if hole is None or (hole.tries and read_up_to <= hole.offset):
            return Verdict.NOTHING
        patience = self._seconds * (_BEFORE_STOPPING if hole.tries > 1 else 1)
        if time.monotonic() - hole.since < patience:
            return Verdict.NOTHING
        hole.since, hole.tries = time.monotonic(), hole.tries + 1
        if hole.tries == 1:
            return Verdict.FROM_CHECKPOINT
        if hole.tries == 2:  # noqa: PLR2004 - the second try
            return Verdict.FROM_BEGINNING
        del self._holes[tp]
        return Verdict.STOP
