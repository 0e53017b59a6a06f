"""What may change in a published event: each verdict is proven by decoding with an old and a new reader."""

from typing import ClassVar

import pytest
from pydantic import ValidationError, create_model

from shared.schemas.compatibility import breaches
from shared.schemas.contract import schema_of
from shared.schemas.event import Event, encode
from shared.schemas.values import OpenEnum
from tests.unit.schemas.contract_changes import CHANGES, EVERY, NEW, OLD, Change, Colour, Fields


def reader(fields: Fields) -> type[Event]:
    """A subscriber's model of the event."""
    return create_model("Sample", __base__=Sample, **fields)


class Sample(Event):
    event_type: ClassVar[str] = "trellis.sample.Sample.v1"


def reads(fields: Fields, data: Fields) -> bool:
    """Whether a subscriber with these fields reads the data and knows every value in them."""
    try:
        event = reader(fields).model_validate(data)
    except ValidationError:
        return False
    return all(value.known for value in dict(event).values() if isinstance(value, OpenEnum))


def test_there_are_at_least_thirty_changes() -> None:
    assert len(CHANGES) >= 30
    assert len({one.name for one in CHANGES}) == len(CHANGES)


@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one.name)
def test_a_change_breaks_whom_the_gate_says(one: Change) -> None:
    found = {breach.breaks for breach in breaches(schema_of(reader(one.old)), schema_of(reader(one.new)))}
    assert found == one.breaks


@pytest.mark.parametrize("one", [one for one in CHANGES if EVERY not in one.breaks], ids=lambda one: one.name)
def test_a_reader_fails_exactly_where_the_gate_says(one: Change) -> None:
    additive_value = one.name == "a further value of an open enum"  # it survives as a member that is not known
    assert reads(one.new, one.written_before) is (NEW not in one.breaks)
    assert reads(one.old, one.written_after) is (OLD not in one.breaks and not additive_value)


@pytest.mark.parametrize("one", [one for one in CHANGES if EVERY in one.breaks], ids=lambda one: one.name)
def test_what_means_something_else_is_read_without_a_word(one: Change) -> None:
    """So that the mark in the schema is the only guard."""
    assert reads(one.new, one.written_before)
    assert reads(one.old, one.written_after)


def test_an_unknown_value_of_an_open_enum_survives_an_old_reader() -> None:
    event = reader({"c": (Colour, ...)}).model_validate({"c": "green"})
    assert encode(event) == '{"c":"green"}'


@pytest.mark.parametrize("one", CHANGES, ids=lambda one: one.name)
def test_nothing_breaks_where_nothing_changed(one: Change) -> None:
    assert breaches(schema_of(reader(one.old)), schema_of(reader(one.old))) == []
