"""Whether a consumer reads what is there: it may stop without a word, and it may fall out of its group."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aiokafka.structs import TopicPartition

from shared.eventsourcing.pulse import Pulse

_PATIENCE: Final = 5
"""While others of its partitions are applied, one that stands still is given so many times as long."""


class Reading:
    """One consumer as the watchdog sees it: its rounds, its slices, its positions, its place in its group."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.pulse = Pulse(name, clock=clock)
        self.standstill = Standstill(clock)
        self._clock = clock
        self._in_hand: list[float] = []
        self._applied = clock()
        self._outside: float | None = None

    @contextmanager
    def slice(self) -> Generator[None]:
        """Records are in hand until the block ends, however it does."""
        self._in_hand.append(began := self._clock())
        try:
            yield
        finally:
            self._in_hand.remove(began)
            self.transaction_ended()

    def transaction_ended(self) -> None:
        """One transaction of a slice was committed, or failed and said so."""
        self._applied = self._clock()
        self.pulse.progressed()

    def member(self, *, of_its_group: bool) -> None:
        """What the group's coordinator says; a group that is being put together is not asked."""
        self._outside = None if of_its_group else (self._outside or self._clock())

    def stalled(self, seconds: float) -> str | None:
        now = self._clock()
        if (reason := self.pulse.stalled(seconds)) is not None:
            return reason
        if self._in_hand and now - max(self._in_hand[0], self._applied) > seconds:
            return f"{self.name} has had a slice in hand for {now - self._in_hand[0]:.0f} s"
        if self._outside is not None and now - self._outside > seconds:
            return f"{self.name} has been no member of its consumer group for {now - self._outside:.0f} s"
        if self.standstill.lasts(seconds if now - self._applied > seconds else _PATIENCE * seconds):
            return f"{self.name} does not fetch records that are there"
        return None

    def told(self) -> dict[str, Any]:
        return {**self.pulse.told(), "member": self._outside is None}


class Standstill:
    """Which partitions have records that nobody fetches, and since when: a consumer may stop without a word."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._behind: dict[TopicPartition, tuple[int, float]] = {}

    def look(self, read: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        """Compare where the consumer reads on with where the partitions end; those not given are forgotten."""
        now = self._clock()
        behind = {tp: position for tp, position in read.items() if position < ends.get(tp, 0)}
        before = self._behind
        self._behind = {
            tp: before[tp] if tp in before and before[tp][0] == position else (position, now)
            for tp, position in behind.items()
        }

    def forget(self) -> None:
        """Nothing is known while a database or broker does not answer."""
        self._behind = {}

    def lasts(self, seconds: float) -> bool:
        return any(self._clock() - since > seconds for _, since in self._behind.values())
