"""Events as the reviews service's projections get them: with an envelope, in slices."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

from shared.eventsourcing.identifiers import derived, stream_name
from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event
from tests.unit.services.reviews.form import HR, NOW


def history(category: str, stream: UUID, *events: Event, day: int = 0) -> list[Recorded]:
    """A stream's events from its first one on, a minute apart, `day` days before (below 0) or after NOW."""
    return [_recorded(category, stream, event, version, day) for version, event in enumerate(events, start=1)]


def _recorded(category: str, stream: UUID, event: Event, version: int, day: int) -> Recorded:
    at = NOW + timedelta(days=day, minutes=version)
    envelope = Envelope(
        id=derived(stream, version),
        source="/trellis/test",
        type=event.event_type,
        subject=stream_name(category, stream),
        time=at,
        sequence=version,
        log_id=derived("log"),
        position=100 + version,
        previous_position=99 + version,
        recorded_at=at,
        actor=HR,
        correlation_id=derived(stream, version, "correlation"),
        causation_id=None,
        command_id=derived(stream, version, "command"),
    )
    return Recorded(event, envelope)


def out_of_phase(streams: Sequence[Sequence[Recorded]], seed: int) -> Iterator[list[Recorded]]:
    """The streams' events in slices of any size, streams overtaking each other, any slice sent again at any time."""
    random = Random(seed)
    left = [list(stream) for stream in streams]
    sent: list[list[Recorded]] = []
    while left := [stream for stream in left if stream]:
        chosen = random.choice(left)
        size = random.randint(1, len(chosen))
        sent.append(chosen[:size])
        del chosen[:size]
        yield sent[-1]
        if random.random() < 0.5:
            yield random.choice(sent)
