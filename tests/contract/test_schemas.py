"""The published language is a promise: schemas and bytes that were published once stay readable for ever.

To publish an event: register its module in `shared/schemas/topics.py`, then

    python -m shared.schemas write                                             # JSON Schemas
    python -m shared.schemas golden trellis.goals.GoalSet.v1 example.json      # golden bytes (-: standard input)
    python -m shared.schemas golden trellis.goals.GoalSet.v1.team other.json   # a further case

and commit the files. To change an event that is published: give it the next version, add an upcaster from the old one,
and keep the old version's two files. Personal text in an example is sealed: `{"person": ..., "key": ..., "ciphertext":
..., "bound_to": ...}`.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, ConfigDict

from shared.schemas.contract import (
    GOLDENS,
    SCHEMAS,
    NotAnExample,
    schema_file,
    schema_of,
    schema_text,
    type_of,
    type_of_schema,
    write_golden,
)
from shared.schemas.event import Event, EventTypes, UnknownEvent, encode, schema_uri
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.published import ALL, PUBLISHED
from shared.schemas.release import RELEASED

GOLDEN_FILES = sorted(GOLDENS.glob("*.json"))
SCHEMA_FILES = sorted(SCHEMAS.rglob("*.json"))
EVER_PUBLISHED = sorted({*ALL.models, *ALL.upcasters})


def named(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("event_type", EVER_PUBLISHED)
def test_every_version_has_a_committed_schema(event_type: str) -> None:
    file = schema_file(event_type)
    assert file.exists(), f"no schema of {event_type}: run `python -m shared.schemas write` and commit the file"
    assert json.loads(file.read_text(encoding="utf-8"))["$id"] == schema_uri(event_type)


@pytest.mark.parametrize("event_type", sorted(ALL.models))
def test_the_committed_schema_is_the_events(event_type: str) -> None:
    committed = schema_file(event_type).read_text(encoding="utf-8")
    assert schema_text(ALL.models[event_type]) == committed, (
        f"{event_type} is no longer what was published: if it was published, make a new version with an upcaster; "
        "if it never was, run `python -m shared.schemas write`"
    )


@pytest.mark.parametrize("event_type", EVER_PUBLISHED)
def test_every_version_has_golden_bytes(event_type: str) -> None:
    assert any(type_of(file) == event_type for file in GOLDEN_FILES), (
        f"no golden bytes of {event_type}: run `python -m shared.schemas golden {event_type} EXAMPLE.json`"
    )


@pytest.mark.parametrize("event_type", sorted({*map(type_of, GOLDEN_FILES), *map(type_of_schema, SCHEMA_FILES)}))
def test_no_version_was_forgotten(event_type: str) -> None:
    assert event_type in EVER_PUBLISHED, f"{event_type} was published, and nothing reads it any more"


@pytest.mark.parametrize("file", GOLDEN_FILES, ids=named)
def test_golden_bytes_decode(file: Path) -> None:
    event = ALL.decode(type_of(file), file.read_bytes())
    assert not isinstance(event, UnknownEvent)


@pytest.mark.parametrize("file", [f for f in GOLDEN_FILES if type_of(f) in ALL.models], ids=named)
def test_golden_bytes_of_a_current_version_are_written_again_as_the_very_same_bytes(file: Path) -> None:
    event = ALL.decode(type_of(file), file.read_bytes())
    assert isinstance(event, Event)
    assert encode(event).encode() == file.read_bytes()


@pytest.mark.parametrize("event_type", EVER_PUBLISHED)
def test_an_event_is_named_for_its_publisher_and_class(event_type: str) -> None:
    trellis, _, name, version = event_type.split(".")
    assert trellis == "trellis"
    assert version[0] == "v"
    assert version[1:].isdigit()
    if (event := ALL.models.get(event_type)) is not None:
        assert event.__name__ == name


def test_no_two_topics_publish_the_same_type() -> None:
    assert len(ALL.models) == sum(len(types.models) for types in PUBLISHED.values())


def test_a_measurement_of_version_1_is_read_as_one_that_was_typed_in() -> None:
    golden = (GOLDENS / "trellis.goals.GoalProgressRecorded.v1.json").read_bytes()
    event = ALL.decode("trellis.goals.GoalProgressRecorded.v1", golden)
    assert isinstance(event, GoalProgressRecorded)
    assert (event.value, event.source) == (Decimal(7), ProgressSource.MANUAL)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int


class Sample(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"

    part: Part


class SampleChanged(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"

    part: Part
    colour: str


def test_a_published_schema_is_open_at_any_depth() -> None:
    assert "additionalProperties" not in json.dumps(schema_of(Sample))


def test_another_field_changes_the_schema() -> None:
    assert schema_text(Sample) != schema_text(SampleChanged)


def test_golden_bytes_are_never_overwritten(tmp_path: Path) -> None:
    types = EventTypes.of([Sample])
    file = write_golden(types, "trellis.sample.Sample.v1", b'{"part": {"size": 1}}', tmp_path)
    assert file.read_bytes() == b'{"part":{"size":1}}'
    with pytest.raises(NotAnExample, match="published bytes never change"):
        write_golden(types, "trellis.sample.Sample.v1", b'{"part": {"size": 2}}', tmp_path)


def test_golden_bytes_of_an_event_that_nobody_writes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnExample, match=r"shared/schemas/topics\.py"):
        write_golden(EventTypes.of([Sample]), "trellis.sample.Other.v1", b"{}", tmp_path)


def test_every_publisher_has_versions_that_are_kept_as_released() -> None:
    """With nothing to compare with, `trellis schemas check` would let any change pass."""
    kept = {file.parent.name for file in RELEASED.rglob("*.json")}
    assert kept == {file.parent.name for file in SCHEMAS.rglob("*.json")}
