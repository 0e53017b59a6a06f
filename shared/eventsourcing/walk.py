"""A walk along one partition's records: which are next, which were seen, where something is missing. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, TypeAlias
from uuid import UUID

from shared.eventsourcing.checkpoints import Checkpoint, Move
from shared.schemas.chain import Link, judge
from shared.schemas.envelope import Envelope, Headers, LogMark, MalformedEnvelope, from_headers


class Record(Protocol):
    """What a walk needs of a consumed record."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Part:
    """What arrived of one partition, in offset order."""

    topic: str
    partition: int
    records: Sequence[Record]

    @property
    def place(self) -> tuple[str, int]:
        return self.topic, self.partition


@dataclass(slots=True)
class Walk:
    """Where a slice leads: what to apply, what to park, and the checkpoint behind it."""

    log_id: UUID | None
    position: int
    next_offset: int
    fresh: list[tuple[Record, Envelope]] = field(default_factory=list[tuple[Record, Envelope]])
    malformed: list[tuple[Record, str]] = field(default_factory=list[tuple[Record, str]])
    skipped: int = 0
    missing_up_to: int | None = None
    forked: str | None = None
    seen_log_id: UUID | None = None

    @property
    def hole(self) -> bool:
        return self.missing_up_to is not None

    def move(self, start: Checkpoint) -> Move:
        """The checkpoint's way from where the walk began."""
        return Move(start, self.log_id, self.position, self.next_offset)


Read: TypeAlias = Callable[[Headers], Envelope | LogMark]


def read_once(headers: int = 2_048) -> Read:
    """Reads headers for the readers of one process, which each get the same records: so many, the newest, once."""
    known = lru_cache(maxsize=headers)(from_headers)
    return lambda of_record: known(tuple(of_record))


def walk(checkpoint: Checkpoint, records: Sequence[Record], *, read: Read = from_headers) -> Walk:
    """Follow the chain from the checkpoint through these records of its partition, in offset order.

    A hole ends the advance but not the scan: a relay that failed sends what is missing again, further on. A record
    whose headers are malformed is set apart; it is one record, whatever surrounds it. What is not applied moves the
    offset by one alone, so that it never passes a record that an earlier slice left because of a hole.
    """
    path = Walk(checkpoint.log_id, checkpoint.position, checkpoint.next_offset)
    for record in records:
        try:
            envelope = read(record.headers)
        except MalformedEnvelope as error:
            if record.offset >= checkpoint.next_offset:
                path.malformed.append((record, str(error)))
            _pass_over(path, record)
            continue
        _step(path, record, envelope)
        if path.forked:
            break
    return path


def _step(path: Walk, record: Record, envelope: Envelope | LogMark) -> None:
    match judge(path.log_id, path.position, envelope):
        case Link.NEXT:
            _next(path, record, envelope)
        case Link.DUPLICATE | Link.SUPERSEDED:
            path.skipped += 1
            _pass_over(path, record)
        case Link.HOLE:
            path.missing_up_to = path.missing_up_to or envelope.previous_position
        case Link.FORKED:
            path.seen_log_id = envelope.log_id
            path.forked = (
                f"log forked: at position {path.position} of log {path.log_id} came a record of log {envelope.log_id} "
                f"after position {envelope.previous_position}; rebuild this reader to follow it"
            )


def _next(path: Walk, record: Record, envelope: Envelope | LogMark) -> None:
    path.log_id = path.log_id or envelope.log_id
    if isinstance(envelope, LogMark):
        _pass_over(path, record)
        return
    path.fresh.append((record, envelope))
    path.position = envelope.position
    if path.missing_up_to is not None and path.position >= path.missing_up_to:
        path.missing_up_to = None
    if not path.hole:
        path.next_offset = record.offset + 1


def _pass_over(path: Walk, record: Record) -> None:
    if record.offset == path.next_offset:
        path.next_offset += 1
