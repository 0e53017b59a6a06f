"""An event with what is known of its record."""

from dataclasses import dataclass
from uuid import UUID

from shared.schemas.envelope import Envelope
from shared.schemas.event import Event


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was published: what projections and reactions are given."""

    event: Event
    envelope: Envelope

    @property
    def stream_id(self) -> UUID:
        return self.envelope.stream_id

    @property
    def stream(self) -> str:
        return self.envelope.subject

    @property
    def version(self) -> int:
        return self.envelope.sequence

    @property
    def position(self) -> int:
        return self.envelope.position
