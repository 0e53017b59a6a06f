"""Reads `rewards.events` by the partition chain: nothing missed, nothing twice, however the records come."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from consumers.payroll.books import Books, Checkpoint
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, LogMark, MalformedEnvelope, from_headers
from shared.schemas.rewards import TYPES, PaymentInstructionIssued

Record: TypeAlias = Any
"""aiokafka's ConsumerRecord, which ships without types."""
HOLE_SECONDS: Final = 3.0
"""How long records that are missing may take to come: a relay that failed sends them again."""
BEGINNING: Final = 0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Hole:
    """Records are missing behind `position`."""

    position: int
    since: float
    tries: int = 0


@dataclass(slots=True)
class Reading:
    """One topic, partition by partition. Reads no broker itself: it is given records and says where to seek."""

    books: Books
    topic: str
    hole_seconds: float = HOLE_SECONDS
    holes: dict[int, Hole] = field(default_factory=dict[int, Hole])
    stopped: dict[int, str] = field(default_factory=dict[int, str])

    def start(self, partition: int, end: int) -> int:
        """Where to begin. A topic that ends before the checkpoint was emptied: from the beginning, then."""
        with self.books.transaction():
            offset = self.books.checkpoint(self.topic, partition).next_offset
        self.holes.pop(partition, None)
        return offset if offset <= end else BEGINNING

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Apply one partition's records in order, with their answers and the checkpoint, in one transaction."""
        if partition in self.stopped:
            return
        with self.books.transaction():
            before = self.books.checkpoint(self.topic, partition)
            after = before
            for record in records:
                after = self._next(after, partition, record)
                if partition in self.stopped:
                    break
            if after != before:
                self.books.move(self.topic, partition, after)

    def _next(self, checkpoint: Checkpoint, partition: int, record: Record) -> Checkpoint:
        """The checkpoint after this record. While records are missing, the place to read on stays before the hole."""
        try:
            envelope = from_headers(record.headers)
        except MalformedEnvelope as malformed:
            self._park(record, malformed)
            return self._behind(checkpoint, partition, record)
        match judge(checkpoint.log_id, checkpoint.position, envelope):
            case Link.NEXT:
                self.holes.pop(partition, None)
                return self._applied(checkpoint, envelope, record)
            case Link.HOLE:
                self.holes.setdefault(partition, Hole(checkpoint.position, time.monotonic()))
                return checkpoint
            case Link.FORKED:
                self.stopped[partition] = (
                    f"the log has forked at offset {record.offset}: log {envelope.log_id} follows {checkpoint.log_id}; "
                    "`python -m consumers.payroll follow-new-log` follows it"
                )
                return checkpoint
            case Link.DUPLICATE | Link.SUPERSEDED:
                return self._behind(checkpoint, partition, record)

    def _behind(self, checkpoint: Checkpoint, partition: int, record: Record) -> Checkpoint:
        return checkpoint if partition in self.holes else replace(checkpoint, next_offset=record.offset + 1)

    def _applied(self, checkpoint: Checkpoint, envelope: Envelope | LogMark, record: Record) -> Checkpoint:
        read_on = record.offset + 1
        if isinstance(envelope, LogMark):
            return replace(checkpoint, log_id=envelope.log_id, next_offset=read_on)
        if envelope.type == PaymentInstructionIssued.event_type:
            self._receive(envelope, record)
        return Checkpoint(envelope.log_id, envelope.position, read_on)

    def _receive(self, envelope: Envelope, record: Record) -> None:
        try:
            instruction = TYPES.decode(envelope.type, record.value)
        except ValidationError as invalid:
            self._park(record, invalid)
            return
        if isinstance(instruction, PaymentInstructionIssued):
            self.books.receive(instruction)

    def _park(self, record: Record, error: Exception) -> None:
        where = f"{self.topic}/{record.partition} at {record.offset}"
        log.error("%s cannot be read (%s): in dead_letters of the books, never paid", where, type(error).__name__)
        self.books.park(self.topic, record.partition, offset=record.offset, cause=repr(error), value=record.value)

    def look(self) -> dict[int, int]:
        """Partitions whose hole has lasted too long, and where to seek: back, then the beginning, then stop."""
        seeks: dict[int, int] = {}
        for partition, hole in list(self.holes.items()):
            if time.monotonic() - hole.since < self.hole_seconds:
                continue
            with self.books.transaction():
                checkpoint = self.books.checkpoint(self.topic, partition)
            if checkpoint.position != hole.position:
                del self.holes[partition]
                continue
            hole.since, hole.tries = time.monotonic(), hole.tries + 1
            if hole.tries == 1:
                seeks[partition] = checkpoint.next_offset
            elif hole.tries == 2:  # noqa: PLR2004 - the second try
                seeks[partition] = BEGINNING
            else:
                del self.holes[partition]
                self.stopped[partition] = f"records after position {checkpoint.position} are missing from the topic"
        return seeks
