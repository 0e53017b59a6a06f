"""Every field of every event says what it is: a title, a description, an example, and a unit where it is a number.

To satisfy it: `name: Type = Field(description="What it is.")` in the event; a number's type is one of
shared/schemas/units.py, which carries the unit; the example comes from the golden bytes (where they hold null alone,
`Field(..., examples=[...])`). Then `python -m shared.schemas write`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field

from shared.schemas.contract import SCHEMAS, schema_of
from shared.schemas.event import Event
from shared.schemas.units import UNIT, Percent, Seconds
from shared.schemas.values import DecimalString

FILES = sorted(SCHEMAS.rglob("*.json"))
_NUMBERS = ({"type": "integer"}, {"type": "number"}, {"format": "decimal"})


def untold(schema: dict[str, Any]) -> list[str]:
    """What is missing, field by field; empty: everything is told."""
    parts = {"": schema, **schema.get("$defs", {})}
    return [
        f"{part}.{name} has no {what}".removeprefix(".")
        for part, node in parts.items()
        for name, field in node.get("properties", {}).items()
        for what in _missing(schema, field)
    ]


def _missing(schema: dict[str, Any], field: dict[str, Any]) -> Iterator[str]:
    yield from (what for what in ("title", "description", "examples") if not field.get(what))
    if UNIT not in field and any(UNIT not in number for number in _numbers(schema, field)):
        yield "unit"


def _numbers(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for member in node.get("anyOf", ()):
        yield from _numbers(schema, member)
    if any(number.items() <= node.items() for number in _NUMBERS):
        yield node


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_every_field_says_what_it_is(file: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    assert untold(schema) == [], __doc__
    assert schema["description"], "the event's own docstring"


class Told(Event):
    event_type: ClassVar[str] = "trellis.sample.Told.v1"

    share: Percent | None = Field(description="How much of it.", examples=["12.5"])
    late: Seconds = Field(description="How late.", examples=[3])


class Untold(Event):
    event_type: ClassVar[str] = "trellis.sample.Untold.v1"

    share: DecimalString | None = Field(description="How much of it.", examples=["12.5"])
    late: Seconds


def test_a_field_that_says_nothing_is_found() -> None:
    assert untold(schema_of(Told)) == []
    assert untold(schema_of(Untold)) == ["share has no unit", "late has no description", "late has no examples"]
