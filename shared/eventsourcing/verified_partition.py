"""One partition under verification: what a consumer would apply of it, against what the event store holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from shared.eventsourcing.topic_scan import TopicScan
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, LogMark, MalformedEnvelope, from_headers, to_headers
from shared.schemas.proof import Proof

_REMEMBERED: Final = 10_000
"""Records out of order whose place is remembered, to tell what was moved from what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where Kafka and the store differ first. `kind`: missing, misplaced, altered, unknown, versions or forked."""

    kind: str
    what: str
    position: int
    partition: int | None = None
    offset: int | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """A record as the relay publishes it."""

    envelope: Envelope
    value: bytes

    @property
    def key(self) -> bytes:
        return self.envelope.subject.encode()

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        return to_headers(self.envelope)


@dataclass(slots=True)
class VerifiedPartition:
    """What was found so far. `healed` holes and `duplicates` are legal; `superseded` records are of older logs."""

    partition: int
    log_id: UUID
    stored: int = 0
    published: int = 0
    duplicates: int = 0
    healed: int = 0
    marks: int = 0
    superseded: int = 0
    foreign: int = 0
    position: int = 0
    offset: int | None = None
    difference: Difference | None = None
    proof: Proof = field(default_factory=Proof)
    """Of what is stored: what a subscriber compares its own figures with."""
    _expected: Any = field(default_factory=hashlib.sha256)
    _found: Any = field(default_factory=hashlib.sha256)
    _hole: tuple[int, int] | None = None
    """The first record that follows what is missing: its offset, and the position that it names before it."""
    _passed: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def stored_checksum(self) -> str:
        """SHA-256 (hex) over key, data and headers of the stored events, in order."""
        return self._expected.hexdigest()

    @property
    def published_checksum(self) -> str:
        """The same over the records that a consumer applies."""
        return self._found.hexdigest()

    async def compare(self, expected: Expected, scan: TopicScan) -> None:
        """The next stored event of this partition against the next record that a consumer would apply."""
        self.stored += 1
        self.proof.add(expected.envelope.id.bytes, expected.value, expected.envelope.recorded_at)
        _add(self._expected, expected.key, expected.value, expected.headers)
        if self.difference is not None:
            return
        found = await self._next(scan)
        if self.difference is not None:
            return
        if found is None:
            self.difference = self._missing(expected)
            return
        record, envelope = found
        self.published += 1
        _add(self._found, record.key or b"", record.value or b"", record.headers)
        if envelope.position != expected.envelope.position:
            self._differs("unknown", record, envelope, _other_place(expected.envelope, envelope))
        elif what := _altered(expected, record):
            self._differs("altered", record, expected.envelope, what)

    async def compare_end(self, scan: TopicScan, *, horizon: int) -> None:
        """Nothing more up to the horizon: what follows was published since."""
        if self.difference is not None:
            return
        found = await self._next(scan, horizon=horizon)
        if found is not None and found[1].position <= horizon:
            self._differs("unknown", found[0], found[1], "the store holds no such event")
        elif found is None and self.difference is None and self._hole is not None and self._hole[1] <= horizon:
            offset, named = self._hole
            what = f"the record there names position {named} as the one before it, and the store has no such event here"
            self.difference = Difference(
                kind="unknown", what=what, position=named, partition=self.partition, offset=offset
            )

    async def _next(self, scan: TopicScan, *, horizon: int | None = None) -> tuple[Any, Envelope] | None:
        """By the consumer's rule; None: the partition ends. A log that replaced this one is a difference."""
        while (record := await scan.next(self.partition)) is not None:
            try:
                envelope = from_headers(record.headers)
            except MalformedEnvelope:
                self.foreign += 1
                continue
            match judge(self.log_id, self.position, envelope):
                case Link.NEXT if isinstance(envelope, Envelope):
                    self._apply(record, envelope)
                    return record, envelope
                case Link.NEXT:
                    self.marks += 1
                case Link.DUPLICATE:
                    self.duplicates += 1
                case Link.SUPERSEDED:
                    self.superseded += 1
                case Link.HOLE:
                    self._pass(record, envelope)
                    if horizon is not None and envelope.previous_position > horizon:
                        return None
                case Link.FORKED:
                    what = f"a record of log {envelope.log_id} after position {envelope.previous_position} stands there"
                    self._differs("forked", record, None, what)
                    return None
        return None

    def _apply(self, record: Any, envelope: Envelope) -> None:
        self.position, self.offset = envelope.position, record.offset
        self._passed.pop(envelope.position, None)
        if self._hole is not None and self.position >= self._hole[1]:
            self._hole = None
            self.healed += 1

    def _pass(self, record: Any, envelope: Envelope | LogMark) -> None:
        if self._hole is None:
            self._hole = record.offset, envelope.previous_position
        if isinstance(envelope, Envelope) and len(self._passed) < _REMEMBERED:
            self._passed[envelope.position] = record.offset

    def _missing(self, expected: Expected) -> Difference:
        wanted, before = expected.envelope, f"after offset {self.offset}" if self.offset is not None else "at the start"
        kind, offset = "missing", self.offset
        if (moved := self._passed.get(wanted.position)) is not None:
            kind, offset = "misplaced", moved
            what = f"it stands at offset {moved}, before the record that it follows, which is at offset {self.offset}"
        elif self._hole is not None:
            what = (
                f"it is missing {before}: the record at offset {self._hole[0]} names position {self._hole[1]} before it"
            )
        else:
            what = f"it is missing {before}, where the partition ends"
        return Difference(
            kind=kind,
            what=what,
            position=wanted.position,
            partition=self.partition,
            offset=offset,
            stream=wanted.subject,
        )

    def _differs(self, kind: str, record: Any, envelope: Envelope | None, what: str) -> None:
        self.difference = Difference(
            kind=kind,
            what=what,
            position=envelope.position if envelope else self.position,
            partition=self.partition,
            offset=record.offset,
            stream=envelope.subject if envelope else None,
        )


def _other_place(expected: Envelope, found: Envelope) -> str:
    return f"event {found.id} stands where the store has event {expected.id} at position {expected.position}"


def _altered(expected: Expected, record: Any) -> str:
    """What of the record is not as it is stored; empty: it is byte-equal."""
    parts: list[str] = []
    if record.key != expected.key:
        parts.append("the key")
    if record.value != expected.value:
        parts.append("the data")
    if list(record.headers) != expected.headers:
        wanted, found = dict(expected.headers), dict(record.headers)
        names = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        parts.append(f"the envelope ({', '.join(names) or 'order of headers'})")
    return f"{' and '.join(parts)} differ from what is stored" if parts else ""


def _add(checksum: Any, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
    parts = [key, value, *(part for name, header in headers for part in (name.encode(), header))]
    checksum.update(b"".join(len(part).to_bytes(8) + part for part in parts))
