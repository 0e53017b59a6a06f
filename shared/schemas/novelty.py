"""What an event holds that this release does not know: it survives, is passed over, and is counted."""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, cast, get_args

from pydantic import BaseModel
from pydantic_core import from_json

from shared.schemas.event import Event
from shared.schemas.values import OpenEnum


class Novelty(NamedTuple):
    """Fields, and members of enums, that a newer release wrote."""

    fields: int
    members: int


NONE = Novelty(0, 0)


def novelty(event: Event, data: bytes | str) -> Novelty:
    """What of the JSON that the event was read from its model does not know, however deep it lies.

    In a version that is read by an upcaster nothing is looked for: it is no longer written, and grows no more.
    """
    raw = from_json(data)
    return _of_model(event, raw) if raw.keys() >= event.model_fields_set else NONE


def _of_model(model: BaseModel, raw: dict[str, Any]) -> Novelty:
    fields, members = len(raw) - len(model.model_fields_set), 0
    for name in _deep(type(model)):
        inside = raw.get(name)
        if inside is not None and (found := _of_value(getattr(model, name), inside)) is not NONE:
            fields, members = fields + found.fields, members + found.members
    return Novelty(fields, members) if fields or members else NONE


def _of_value(value: object, raw: object) -> Novelty:
    match value:
        case OpenEnum():
            return NONE if value.known else Novelty(0, 1)
        case BaseModel() if isinstance(raw, dict):
            return _of_model(value, cast("dict[str, Any]", raw))
        case tuple() | list() if isinstance(raw, list):
            items = map(_of_value, cast("Iterable[object]", value), cast("Iterable[object]", raw))
            fields, members = zip(NONE, *items, strict=True)
            return Novelty(sum(fields), sum(members))
        case _:
            return NONE


@cache
def _deep(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields that may hold an enum, or a model with fields of its own."""
    return tuple(name for name, field in model.model_fields.items() if _may_be_deep(field.annotation))


def _may_be_deep(annotation: object) -> bool:
    deep = isinstance(annotation, type) and issubclass(annotation, OpenEnum | BaseModel)
    return deep or any(map(_may_be_deep, get_args(annotation)))
