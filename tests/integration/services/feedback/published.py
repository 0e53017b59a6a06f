"""Events as the feedback service's projections get them: with an envelope, in slices."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from services.feedback.domain.feedback import FEEDBACK
from shared.eventsourcing.identifiers import derived, stream_name
from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from tests.unit.services.feedback.people import NOW


def recorded(event: Event, *, stream: UUID, version: int = 1, category: str = FEEDBACK.category) -> Recorded:
    """The event as the `version`th of its stream; each version a minute after the one before it."""
    at = moment(version)
    return Recorded(
        event,
        Envelope(
            id=derived(stream, version),
            source="/trellis/feedback",
            type=event.event_type,
            subject=stream_name(category, stream),
            time=at,
            sequence=version,
            log_id=derived("log"),
            position=version,
            previous_position=version - 1,
            recorded_at=at,
            actor=PersonId(UUID(int=1)),
            correlation_id=derived(stream, version, "correlation"),
            causation_id=None,
            command_id=derived(stream, version, "command"),
        ),
    )


def moment(version: int) -> datetime:
    """When a stream's `version`th event occurred."""
    return NOW + timedelta(minutes=version)


def sealed(person: PersonId, ciphertext: str = "c2VhbGVk") -> PersonalText:
    """A text about the person as a projection gets it: sealed."""
    return PersonalText(person=person, key="key-1", ciphertext=ciphertext, bound_to="event/text")


def out_of_phase(streams: Sequence[Sequence[Recorded]], seed: int) -> Iterator[list[Recorded]]:
    """The streams' events in slices of any size, streams overtaking each other, each slice sometimes sent again."""
    random = Random(seed)
    left = [list(stream) for stream in streams]
    while left := [stream for stream in left if stream]:
        chosen = random.choice(left)
        size = random.randint(1, len(chosen))
        events, chosen[:] = chosen[:size], chosen[size:]
        yield events
        if random.random() < 0.5:
            yield events
