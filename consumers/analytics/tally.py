"""A partition's tally: how many events, which ones, and whether the chain that joins them is whole. Pure."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, Headers, LogMark, MalformedEnvelope, from_headers
from shared.schemas.proof import Digest


class Record(Protocol):
    """What is needed of a consumed record."""

    @property
    def headers(self) -> Headers: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(slots=True)
class ChainTally:
    """A partition of a service's topic, followed by the chain rule.

    The checksum is the proof's (`shared/schemas/proof.py`). A younger log replaces what was read of an older.
    """

    events: int = 0
    duplicates: int = 0
    no_events: int = 0
    logs: int = 0
    _log_id: UUID | None = None
    _position: int = 0
    _seen: int = 0
    _forked_at: int | None = None
    _digest: Digest = field(default_factory=Digest)

    @property
    def checksum(self) -> str:
        return self._digest.checksum

    @property
    def broken(self) -> str | None:
        """Where the chain is not whole; None if it is."""
        if self._forked_at is not None:
            return f"forked at position {self._forked_at}"
        if self._seen > self._position:
            return f"events are missing between positions {self._position} and {self._seen}"
        return None

    def take(self, record: Record) -> None:
        """Count the record, whatever it is."""
        try:
            envelope = from_headers(record.headers)
        except MalformedEnvelope:
            self.no_events += 1
            return
        if self._log_id is None or envelope.log_id > self._log_id:
            self._begin(envelope.log_id)
        match judge(self._log_id, self._position, envelope):
            case Link.NEXT:
                self._next(envelope, record.value or b"")
            case Link.HOLE:
                self._look_ahead(envelope)
            case Link.DUPLICATE | Link.SUPERSEDED:
                self.duplicates += 1
            case Link.FORKED if self._forked_at is None:
                self._forked_at = self._position
            case Link.FORKED:
                pass

    def _begin(self, log_id: UUID) -> None:
        """The log was started anew, from its first event."""
        self.logs += 1
        self._log_id, self._position, self._seen, self._forked_at = log_id, 0, 0, None
        self.events, self._digest = 0, Digest()

    def _next(self, record: Envelope | LogMark, value: bytes) -> None:
        if isinstance(record, Envelope):
            self.events += 1
            self._position = record.position
            self._digest.add(record.id.bytes, value)

    def _look_ahead(self, record: Envelope | LogMark) -> None:
        """Something before this record is missing; a relay that failed sends it again, further on."""
        reached = record.position if isinstance(record, Envelope) else record.previous_position
        self._seen = max(self._seen, reached)


@dataclass(slots=True)
class FeedTally:
    """A partition of a feed without a chain: what is there can be counted, what is missing cannot be known.

    The checksum is SHA-256 over the SHA-256 of each record's key and value, in the partition's order.
    """

    events: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def checksum(self) -> str:
        return str(self._digest.hexdigest())

    def take(self, record: Record) -> None:
        """Count the record."""
        self.events += 1
        for part in (record.key, record.value):
            self._digest.update(hashlib.sha256(part or b"").digest())
