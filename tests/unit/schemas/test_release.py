"""The gate in front of a release: what would break a reader is refused, and the refusal says what to do instead."""

from pathlib import Path
from typing import ClassVar

import pytest

from shared.schemas.contract import write_schemas
from shared.schemas.event import Event, EventTypes, Upcaster
from shared.schemas.published import PUBLISHED, SUBSCRIBERS
from shared.schemas.release import Refusal, Unreleasable, refusals, release

TOPIC = "sample.events"


class Sample(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"

    size: int
    colour: str


class Grown(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"

    size: int
    colour: str
    weight: int | None = None


class Colourless(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"

    size: int


class Second(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v2"

    size: int


def published(*events: type[Event], upcasters: tuple[Upcaster, ...] = ()) -> dict[str, EventTypes]:
    return {TOPIC: EventTypes.of(events, upcasters)}


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A release that holds version 1."""
    return released_as(tmp_path, Sample)


def released_as(folder: Path, event: type[Event]) -> Path:
    schemas = folder / "json"
    schemas.mkdir(exist_ok=True)
    write_schemas(EventTypes.of([event]), schemas)
    release(published(event), folder / "released", schemas)
    return folder / "released"


def test_an_event_that_grew_may_be_released(released: Path) -> None:
    assert refusals(published(Grown), released) == []
    released_as(released.parent, Grown)
    assert '"weight"' in (released / "sample/Sample.v1.json").read_text()


def test_an_event_that_lost_a_field_is_refused_by_name(released: Path) -> None:
    told = refusals(published(Colourless), released)[0].told({TOPIC: ("payroll", "analytics")})
    assert told == (
        "trellis.sample.Sample.v1: colour is no longer there.\n"
        "  It breaks a subscriber that was not changed, when it reads new events. "
        "sample.events is read by: payroll, analytics.\n"
        "  Instead: leave it as it was and publish trellis.sample.Sample.v2 "
        "with an upcaster from trellis.sample.Sample.v1."
    )


def test_nothing_is_released_that_would_break_a_reader(released: Path) -> None:
    before = (released / "sample/Sample.v1.json").read_text()
    with pytest.raises(Unreleasable):
        released_as(released.parent, Colourless)
    assert (released / "sample/Sample.v1.json").read_text() == before


def test_a_new_version_needs_an_upcaster_from_the_one_before(released: Path) -> None:
    def without_colour(data: dict[str, object]) -> dict[str, object]:
        return {"size": data["size"]}

    upcaster = Upcaster(Sample.event_type, Second, without_colour)
    assert refusals(published(Second, upcasters=(upcaster,)), released) == []
    refused = refusals(published(Second), released)
    assert [(one.event_type, one.breach.change) for one in refused] == [
        (Sample.event_type, "is read by no version any more")
    ]


def test_what_trellis_publishes_breaks_no_reader_of_what_was_released() -> None:
    assert [refused.told(SUBSCRIBERS) for refused in refusals(PUBLISHED)] == []


def test_a_refusal_without_a_known_subscriber_says_so(released: Path) -> None:
    refused: list[Refusal] = refusals(published(Colourless), released)
    assert "nobody we know" in refused[0].told({})
