"""The envelope of a stored event, as the relay publishes it and others expect it."""

from typing import Any
from uuid import UUID

from shared.eventsourcing.store import Metadata
from shared.schemas.envelope import Envelope


def envelope_of(row: Any, *, source: str, log_id: UUID, previous_position: int) -> Envelope:
    """The envelope of a stored event: a pure function of the log, so that a re-sent record is byte-equal."""
    metadata = Metadata.decode(row["metadata"])
    return Envelope(
        id=row["event_id"],
        source=source,
        type=row["type"],
        subject=row["stream"],
        time=metadata.occurred_at,
        sequence=row["version"],
        log_id=log_id,
        position=row["position"],
        previous_position=previous_position,
        recorded_at=row["recorded_at"],
        actor=metadata.actor,
        correlation_id=metadata.correlation_id,
        causation_id=metadata.causation_id,
        command_id=metadata.command_id,
        policy_version=metadata.policy_version,
        traceparent=metadata.traceparent,
    )
