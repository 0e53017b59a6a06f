"""Partitions as a relay writes them, without a broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from consumers.analytics.tally import ChainTally
from shared.schemas.envelope import Envelope, LogMark, mark_to_headers, to_headers
from shared.schemas.identifiers import PersonId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """A record as a consumer gets it."""

    headers: Sequence[tuple[str, bytes]]
    value: bytes | None = None
    key: bytes | None = field(default=None)


def event(position: int, previous: int, *, log: int = 1) -> Published:
    """The event at a position of the log."""
    envelope = Envelope(
        id=UUID(int=position),
        source="trellis/goals",
        type="trellis.goals.GoalCancelled.v1",
        subject=f"goal-{UUID(int=9)}",
        time=NOW,
        sequence=position,
        log_id=UUID(int=log),
        position=position,
        previous_position=previous,
        recorded_at=NOW,
        actor=PersonId(UUID(int=7)),
        correlation_id=UUID(int=8),
        causation_id=None,
        command_id=UUID(int=8),
    )
    return Published(to_headers(envelope), b'{"reason":"%d"}' % position)


def mark(previous: int, *, log: int = 1) -> Published:
    """What the relay says of the partition's end."""
    return Published(mark_to_headers(LogMark(UUID(int=log), previous, None)))


def partition(positions: Sequence[int], *, log: int = 1) -> list[Published]:
    """The events of one partition, chained."""
    return [event(here, before, log=log) for before, here in zip([0, *positions], positions, strict=False)]


def tallied(records: Iterable[Published]) -> ChainTally:
    tally = ChainTally()
    for record in records:
        tally.take(record)
    return tally
