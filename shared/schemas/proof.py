"""The completeness proof: how many events a partition holds, and which, in all and on each day they were stored on.

A checksum is SHA-256 over each event's id (16 bytes) and the SHA-256 of its data, in the chain's order. So resends
change nothing, and whoever holds the events computes the same. A day is that of `ce_recordedtime`, in UTC: the days
that are over change no more, whatever comes later.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any


@dataclass(slots=True)
class Digest:
    """A count, and a checksum that tells which they were."""

    events: int = 0
    _sha256: Any = field(default_factory=hashlib.sha256)

    def add(self, identity: bytes, value: bytes) -> None:
        """The next event; `identity` is its id, as 16 bytes."""
        self.events += 1
        self._sha256.update(identity + hashlib.sha256(value).digest())

    @property
    def checksum(self) -> str:
        """In hex."""
        return str(self._sha256.hexdigest())


@dataclass(slots=True)
class Proof:
    """What one partition holds, and what of it was stored on which day."""

    whole: Digest = field(default_factory=Digest)
    days: dict[date, Digest] = field(default_factory=dict[date, Digest])

    def add(self, identity: bytes, value: bytes, recorded_at: datetime) -> None:
        """The next event of the partition, in the chain's order."""
        self.whole.add(identity, value)
        self.days.setdefault(day_of(recorded_at), Digest()).add(identity, value)


def day_of(recorded_at: datetime) -> date:
    """The day that an event is counted on."""
    return recorded_at.astimezone(UTC).date()
