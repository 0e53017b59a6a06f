"""How long a partition whose slice failed is left alone: longer after each failure in a row, with jitter."""

import random
import time
from dataclasses import dataclass
from typing import Final

from aiokafka.structs import TopicPartition

_LONGEST: Final = 10.0


@dataclass(slots=True)
class _Backoff:
    until: float
    failures: int


class Backoffs:
    """The partitions of one consumer that wait after a failure."""

    def __init__(self) -> None:
        self._backoffs: dict[TopicPartition, _Backoff] = {}

    def failed(self, tp: TopicPartition) -> None:
        """Wait, up to 10 s, twice as long as the last time."""
        failures = self._backoffs[tp].failures + 1 if tp in self._backoffs else 1
        wait = min(_LONGEST, 0.1 * 2 ** min(failures, 8)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._backoffs[tp] = _Backoff(time.monotonic() + wait, failures)

    def succeeded(self, tp: TopicPartition) -> None:
        self._backoffs.pop(tp, None)

    def waits(self, tp: TopicPartition) -> bool:
        """Whether it is still to be left alone."""
        backoff = self._backoffs.get(tp)
        return backoff is not None and backoff.until > time.monotonic()
