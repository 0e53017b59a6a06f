"""Records as a relay would publish them, made without a broker: logs, partitions, slices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.partitioning import partition_of
from shared.schemas.envelope import Envelope, LogMark, mark_to_headers, to_headers
from shared.schemas.event import Event, encode
from tests.integration.eventsourcing.tally import SOMEBODY, Counted

LOG = UUID("01900000-0000-7000-8000-000000000001")
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """A consumed record: the chain and the bytes are real, only the broker is not there."""

    topic: str
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


@dataclass(slots=True)
class Log:
    """One service's log and the partitions of its topic."""

    topic: str
    partitions: int = 3
    log_id: UUID = LOG
    records: dict[int, list[FakeRecord]] = field(default_factory=dict[int, list[FakeRecord]])
    position: int = 0
    versions: dict[str, int] = field(default_factory=dict[str, int])
    last: dict[int, int] = field(default_factory=dict[int, int])

    def append(self, stream: str, event: Event | None = None) -> FakeRecord:
        """Publish the next event of a stream."""
        event = event or Counted(step=1)
        self.position += 1
        self.versions[stream] = self.versions.get(stream, 0) + 1
        partition = partition_of(stream, self.partitions)
        envelope = Envelope(
            id=derived(self.topic, self.position),
            source="/trellis/tally",
            type=event.event_type,
            subject=stream,
            time=AT,
            sequence=self.versions[stream],
            log_id=self.log_id,
            position=self.position,
            previous_position=self.last.get(partition, 0),
            recorded_at=AT,
            actor=SOMEBODY,
            correlation_id=derived("correlation", self.position),
            causation_id=None,
            command_id=derived("command", self.position),
        )
        self.last[partition] = self.position
        return self.put(partition, to_headers(envelope), encode(event).encode())

    def put(self, partition: int, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> FakeRecord:
        """Any record at the end of a partition."""
        part = self.records.setdefault(partition, [])
        part.append(FakeRecord(self.topic, partition, len(part), headers, value))
        return part[-1]

    def again(self, record: FakeRecord) -> FakeRecord:
        """The same record once more, further on: what a relay does that died before its checkpoint moved."""
        return self.put(record.partition, record.headers, record.value)

    def mark(self, partition: int) -> FakeRecord:
        """The partition's log mark."""
        return self.put(partition, mark_to_headers(LogMark(self.log_id, self.last.get(partition, 0), None)), b"")

    def of(self, stream: str) -> int:
        """The stream's partition."""
        return partition_of(stream, self.partitions)


def without(records: Sequence[FakeRecord], *lost: FakeRecord) -> list[FakeRecord]:
    """The records but those that a failing relay lost; offsets as the broker would have given them."""
    kept = [r for r in records if r not in lost]
    return [FakeRecord(r.topic, r.partition, n, r.headers, r.value) for n, r in enumerate(kept)]
