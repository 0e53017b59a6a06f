"""Payment instructions as records of `rewards.events`, chained as the relay chains them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from shared.eventsourcing.identifiers import derived
from shared.schemas.envelope import Envelope, LogMark, mark_to_headers, to_headers
from shared.schemas.event import Event, encode
from shared.schemas.identifiers import PaymentId, PersonId
from shared.schemas.rewards import PaymentInstructionIssued
from tests.unit.services.rewards.examples import issued, reserved

LOG: Final = UUID(int=7)
NOW: Final = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """A record as a consumer gets it."""

    offset: int
    headers: list[tuple[str, bytes]]
    value: bytes | None
    key: bytes = b""
    partition: int = 0


@dataclass(slots=True)
class Chain:
    """One partition's log: each record knows the one before it."""

    log_id: UUID = LOG
    position: int = 0
    last_id: UUID | None = None
    offset: int = field(default=-1)

    def record(self, event: Event, stream: str, *, skipped: int = 1) -> Published:
        """The next record; positions in between belong to other partitions."""
        previous, self.position, self.offset = self.position, self.position + skipped, self.offset + 1
        self.last_id = derived(self.log_id, self.position)
        envelope = Envelope(
            id=self.last_id,
            source="/trellis/rewards",
            type=event.event_type,
            subject=stream,
            time=NOW,
            sequence=1,
            log_id=self.log_id,
            position=self.position,
            previous_position=previous,
            recorded_at=NOW,
            actor=PersonId(UUID(int=1)),
            correlation_id=UUID(int=2),
            causation_id=None,
            command_id=derived("command", self.log_id, self.position),
        )
        return Published(self.offset, to_headers(envelope), encode(event).encode(), stream.encode())

    def instruction(self, number: int, *, version: int = 1, pay_group: str = "US-MONTHLY") -> Published:
        return self.record(instruction(number, version=version, pay_group=pay_group), f"payment-{payment(number)}")

    def other(self) -> Published:
        """An event that payroll does not care for."""
        return self.record(reserved, f"pool-{UUID(int=5)}", skipped=3)

    def mark(self) -> Published:
        self.offset += 1
        return Published(self.offset, mark_to_headers(LogMark(self.log_id, self.position, self.last_id)), None)


def payment(number: int) -> PaymentId:
    return PaymentId(UUID(int=0x9000 + number))


def instruction(number: int, *, version: int = 1, pay_group: str = "US-MONTHLY") -> PaymentInstructionIssued:
    return issued.model_copy(
        update={"payment_id": payment(number), "version": version, "pay_group": pay_group},
    )


def at(offset: int, record: Published) -> Published:
    """The same record, sent again and so at a later offset."""
    return Published(offset, record.headers, record.value, record.key, record.partition)


def instructions(chain: Chain, count: int) -> Iterator[Published]:
    for number in range(count):
        yield chain.instruction(number)
