"""Changes of an event that somebody might make: whom each breaks, and values that show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.compatibility import Breaks
from shared.schemas.values import DecimalString, OpenEnum


class Colour(OpenEnum):
    RED = "red"
    BLUE = "blue"


class MoreColours(OpenEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class FewerColours(OpenEnum):
    RED = "red"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    size: int


class GrownPart(Part):
    colour: str | None = None


class HeavierPart(Part):
    weight: int


class LostPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    colour: str = "red"


Meters = Annotated[int, Field(json_schema_extra={"x-unit": "m"})]
Feet = Annotated[int, Field(json_schema_extra={"x-unit": "ft"})]
Gross = Annotated[int, Field(json_schema_extra={"x-meaning": "before tax"})]
Net = Annotated[int, Field(json_schema_extra={"x-meaning": "after tax"})]
OLD, NEW, EVERY = Breaks.OLD_READER, Breaks.NEW_READER, Breaks.EVERY_READER

Fields = dict[str, Any]
NUMBER, TEXT, DATE, PART, COLOUR = (int, ...), (str, ...), (date, ...), (Part, ...), (Colour, ...)
NUMBER_OR_NULL = (int | None, ...)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of an event's fields: who it breaks, and values that show it, written before and after."""

    name: str
    old: Fields
    new: Fields
    breaks: set[Breaks]
    written_before: Fields
    written_after: Fields


def change(name: str, old: Fields, new: Fields, *, breaks: set[Breaks], before: Fields, after: Fields) -> Change:
    return Change(name=name, old=old, new=new, breaks=breaks, written_before=before, written_after=after)


CHANGES: Final[Sequence[Change]] = (  # -- what adds
    change(
        "a field that may be missing",
        {"a": NUMBER},
        {"a": NUMBER, "b": (str | None, None)},
        breaks=set(),
        before={"a": 1},
        after={"a": 1, "b": "x"},
    ),
    change(
        "a further value of an open enum",
        {"c": COLOUR},
        {"c": (MoreColours, ...)},
        breaks=set(),
        before={"c": "red"},
        after={"c": "green"},
    ),
    change(
        "a field that may be missing, inside a part",
        {"p": PART},
        {"p": (GrownPart, ...)},
        breaks=set(),
        before={"p": {"size": 1}},
        after={"p": {"size": 1, "colour": "red"}},
    ),
    change(
        "a field that may be missing, inside a list",
        {"p": (tuple[Part, ...], ...)},
        {"p": (tuple[GrownPart, ...], ...)},
        breaks=set(),
        before={"p": [{"size": 1}]},
        after={"p": [{"size": 1, "colour": "red"}]},
    ),
    change(
        "other words",
        {"a": (int, Field(description="how many"))},
        {"a": (int, Field(description="the number"))},
        breaks=set(),
        before={"a": 1},
        after={"a": 1},
    ),
    change(
        "an example", {"a": NUMBER}, {"a": (int, Field(examples=[7]))}, breaks=set(), before={"a": 1}, after={"a": 1}
    ),
    change(
        "another order",
        {"a": NUMBER, "b": NUMBER},
        {"b": NUMBER, "a": NUMBER},
        breaks=set(),
        before={"a": 1, "b": 2},
        after={"a": 1, "b": 2},
    ),
    change(
        "a unit that was not stated", {"a": NUMBER}, {"a": (Meters, ...)}, breaks=set(), before={"a": 1}, after={"a": 1}
    ),
    # -- fields
    change(
        "a field is gone",
        {"a": NUMBER, "b": NUMBER},
        {"a": NUMBER},
        breaks={OLD},
        before={"a": 1, "b": 2},
        after={"a": 1},
    ),
    change(
        "a field has another name", {"a": NUMBER}, {"b": NUMBER}, breaks={OLD, NEW}, before={"a": 1}, after={"b": 1}
    ),
    change(
        "a new field must be there",
        {"a": NUMBER},
        {"a": NUMBER, "b": NUMBER},
        breaks={NEW},
        before={"a": 1},
        after={"a": 1, "b": 2},
    ),
    change(
        "a new field must be there, inside a part",
        {"p": PART},
        {"p": (HeavierPart, ...)},
        breaks={NEW},
        before={"p": {"size": 1}},
        after={"p": {"size": 1, "weight": 2}},
    ),
    change(
        "a field inside a part is gone",
        {"p": PART},
        {"p": (LostPart, ...)},
        breaks={OLD},
        before={"p": {"size": 1}},
        after={"p": {"colour": "red"}},
    ),
    change(
        "a field inside a list's parts is gone",
        {"p": (tuple[Part, ...], ...)},
        {"p": (tuple[LostPart, ...], ...)},
        breaks={OLD},
        before={"p": [{"size": 1}]},
        after={"p": [{"colour": "red"}]},
    ),
    change(
        "a field that could be missing must be there",
        {"a": (int | None, None)},
        {"a": NUMBER_OR_NULL},
        breaks={NEW},
        before={},
        after={"a": 1},
    ),
    # -- types
    change(
        "a number becomes a text", {"a": NUMBER}, {"a": TEXT}, breaks={OLD, NEW}, before={"a": 1}, after={"a": "one"}
    ),
    change(
        "a decimal text becomes a number",
        {"a": (DecimalString, ...)},
        {"a": (float, ...)},
        breaks={OLD, NEW},
        before={"a": "x"},
        after={"a": 1.5},
    ),
    change(
        "one becomes several",
        {"a": NUMBER},
        {"a": (tuple[int, ...], ...)},
        breaks={OLD, NEW},
        before={"a": 1},
        after={"a": [1]},
    ),
    change(
        "a field may be null now",
        {"a": NUMBER},
        {"a": NUMBER_OR_NULL},
        breaks={OLD},
        before={"a": 1},
        after={"a": None},
    ),
    change(
        "a field may not be null any more",
        {"a": NUMBER_OR_NULL},
        {"a": NUMBER},
        breaks={NEW},
        before={"a": None},
        after={"a": 1},
    ),
    change(
        "a whole number may have a fraction now",
        {"a": NUMBER},
        {"a": (int | float, ...)},
        breaks={OLD},
        before={"a": 1},
        after={"a": 1.5},
    ),
    change(
        "any text becomes a date",
        {"a": TEXT},
        {"a": DATE},
        breaks={NEW},
        before={"a": "soon"},
        after={"a": "2026-01-01"},
    ),
    change(
        "a date becomes any text",
        {"a": DATE},
        {"a": TEXT},
        breaks={OLD},
        before={"a": "2026-01-01"},
        after={"a": "soon"},
    ),
    # -- bounds
    change(
        "a shorter text at most",
        {"a": (Annotated[str, Field(max_length=9)], ...)},
        {"a": (Annotated[str, Field(max_length=4)], ...)},
        breaks={NEW},
        before={"a": "sevenxx"},
        after={"a": "four"},
    ),
    change(
        "a longer text at most",
        {"a": (Annotated[str, Field(max_length=4)], ...)},
        {"a": (Annotated[str, Field(max_length=9)], ...)},
        breaks={OLD},
        before={"a": "four"},
        after={"a": "sevenxx"},
    ),
    change(
        "a higher least number",
        {"a": (Annotated[int, Field(ge=0)], ...)},
        {"a": (Annotated[int, Field(ge=5)], ...)},
        breaks={NEW},
        before={"a": 1},
        after={"a": 6},
    ),
    change(
        "no least number any more",
        {"a": (Annotated[int, Field(ge=0)], ...)},
        {"a": NUMBER},
        breaks={OLD},
        before={"a": 1},
        after={"a": -1},
    ),
    # -- values
    change(
        "a value of an open enum is gone",
        {"c": COLOUR},
        {"c": (FewerColours, ...)},
        breaks={NEW},
        before={"c": "blue"},
        after={"c": "red"},
    ),
    change(
        "a value of a closed list is gone",
        {"a": (Literal["x", "y"], ...)},
        {"a": (Literal["x", "z"], ...)},
        breaks={NEW, OLD},
        before={"a": "y"},
        after={"a": "z"},
    ),
    change(
        "any text becomes one of a closed list",
        {"a": TEXT},
        {"a": (Literal["x"], ...)},
        breaks={NEW},
        before={"a": "y"},
        after={"a": "x"},
    ),
    # -- meaning
    change("another unit", {"a": (Meters, ...)}, {"a": (Feet, ...)}, breaks={EVERY}, before={"a": 1}, after={"a": 1}),
    change("another meaning", {"a": (Gross, ...)}, {"a": (Net, ...)}, breaks={EVERY}, before={"a": 1}, after={"a": 1}),
    change(
        "something else stands for a missing field",
        {"a": (int, 1)},
        {"a": (int, 2)},
        breaks={EVERY},
        before={},
        after={},
    ),
)
