"""Events as the goals service's projections get them: with an envelope, by partition, in slices."""

from collections.abc import Iterator, Sequence
from random import Random
from uuid import UUID

from shared.eventsourcing.identifiers import derived, stream_name
from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId
from tests.unit.services.goals.examples import NOW


def recorded(event: Event, *, stream: UUID, version: int, category: str = "goal", position: int = 1) -> Recorded:
    """The event as the `version`th of its stream."""
    return Recorded(
        event,
        Envelope(
            id=derived(stream, version),
            source="/trellis/goals",
            type=event.event_type,
            subject=stream_name(category, stream),
            time=NOW,
            sequence=version,
            log_id=derived("log"),
            position=position,
            previous_position=position - 1,
            recorded_at=NOW,
            actor=PersonId(UUID(int=1)),
            correlation_id=derived(stream, version, "correlation"),
            causation_id=None,
            command_id=derived(stream, version, "command"),
        ),
    )


def slices(partitions: Sequence[Sequence[Recorded]], random: Random) -> Iterator[list[list[Recorded]]]:
    """Rounds of one or two slices of different partitions: partitions overtake each other."""
    left = [list(partition) for partition in partitions]
    while left := [partition for partition in left if partition]:
        chosen = random.sample(left, k=min(len(left), random.randint(1, 2)))
        yield [_first(partition, random.randint(1, len(partition))) for partition in chosen]


def _first(partition: list[Recorded], size: int) -> list[Recorded]:
    events, partition[:] = partition[:size], partition[size:]
    return events
