"""Where an event holds personal text: found once per event type, named as the stored JSON names it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast, get_args
from uuid import UUID

from pydantic import BaseModel

from shared.privacy.errors import TextDoesNotOpen
from shared.schemas.event import Event
from shared.schemas.personal_text import PersonalText

Model = TypeVar("Model", bound=BaseModel)
Rewrite = Callable[[str, PersonalText], PersonalText]
"""From the path of a text (`comment`, `sections.0.comment`) and the text to what stands there afterwards."""


@cache
def may_hold_personal_text(model: type[BaseModel]) -> bool:
    """Whether an instance can hold personal text at any depth; most events cannot."""
    return _reaches_personal_text(model, set())


def _reaches_personal_text(annotation: Any, seen: set[type]) -> bool:
    if annotation is PersonalText:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return False
        seen.add(annotation)
        return any(_reaches_personal_text(field.annotation, seen) for field in annotation.model_fields.values())
    return any(_reaches_personal_text(argument, seen) for argument in get_args(annotation))


@cache
def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields that may hold personal text at any depth."""
    return tuple(n for n, field in model.model_fields.items() if _reaches_personal_text(field.annotation, set()))


def personal_texts(event: Event) -> dict[str, PersonalText]:
    """The event's personal texts by path."""
    found: dict[str, PersonalText] = {}

    def keep(path: str, personal: PersonalText) -> PersonalText:
        found[path] = personal
        return personal

    if may_hold_personal_text(type(event)):
        rewritten(event, keep)
    return found


def rewritten(model: Model, rewrite: Rewrite, path: str = "") -> Model:
    """A copy of the model with every personal text, at any depth, rewritten."""
    changed = {
        name: _rewritten_value(value, rewrite, f"{path}{name}")
        for name in _fields(type(model))
        if (value := getattr(model, name)) is not None
    }
    return model.model_copy(update=changed) if changed else model


def _rewritten_value(value: Any, rewrite: Rewrite, path: str) -> Any:
    match value:
        case PersonalText():
            return rewrite(path, value)
        case BaseModel() if may_hold_personal_text(type(value)):
            return rewritten(value, rewrite, f"{path}.")
        case tuple() | list():
            items = cast("Sequence[Any]", value)
            return type(value)(_rewritten_value(item, rewrite, f"{path}.{n}") for n, item in enumerate(items))
        case dict():
            entries = cast("Mapping[Any, Any]", value)
            return {name: _rewritten_value(item, rewrite, f"{path}.{name}") for name, item in entries.items()}
        case _:
            return value


def place(event_id: UUID, path: str) -> str:
    """What a text is bound to: the event and the field that it was written for."""
    return f"{event_id}/{path}"


def verify_places(event: Event, event_id: UUID) -> None:
    """Refuse an event that holds a text which was sealed for another event or another field.

    Raises:
        TextDoesNotOpen: it was moved here, whole as it is, so that it would open.
    """
    for path, personal in personal_texts(event).items():
        if personal.bound_to != place(event_id, path):
            raise TextDoesNotOpen(place(event_id, path), f"it was written for {personal.bound_to}")
