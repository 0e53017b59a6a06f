"""What every published event is: a frozen model with an explicit type name, tolerant to read."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict

_SERVED_BY: Final = {"kpi": "goals", "payroll": "rewards", "people": "goals"}
"""Feeds, and the service of ours that has their schemas: who writes them may serve nothing."""


@cache
def schema_uri(event_type: str) -> str:
    """Where the JSON Schema of an event is: behind `trellis:` the path at the service, the same everywhere."""
    _, publisher, name = event_type.split(".", 2)
    return f"trellis:/{_SERVED_BY.get(publisher, publisher)}/v1/schemas/{name}.json"


class Event(BaseModel):
    """A fact, in the past tense. `event_type` is `trellis.<service>.<EventName>.v<n>` and never changes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_type: ClassVar[str]


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event whose type this reader does not know (yet): it survives, is counted, and applies to nothing."""

    event_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Upcaster:
    """Reads a version that is no longer written, as the version that is."""

    old_type: str
    event: type[Event]
    upcast: Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EventTypes:
    """The events of one or more publishers, by type name."""

    models: Mapping[str, type[Event]]
    upcasters: Mapping[str, Upcaster] = field(default_factory=dict[str, Upcaster])

    @classmethod
    def of(cls, events: Iterable[type[Event]], upcasters: Iterable[Upcaster] = ()) -> "EventTypes":
        return cls({e.event_type: e for e in events}, {u.old_type: u for u in upcasters})

    def __or__(self, other: "EventTypes") -> "EventTypes":
        return EventTypes({**self.models, **other.models}, {**self.upcasters, **other.upcasters})

    def names(self, which: Callable[[type[Event]], bool]) -> frozenset[str]:
        """The type names, those of old versions too, of these of the events."""
        current = {name for name, event in self.models.items() if which(event)}
        return frozenset(current | {name for name, upcaster in self.upcasters.items() if which(upcaster.event)})

    def decode(self, event_type: str, data: bytes | str) -> "Event | UnknownEvent":
        """The event, whatever version it was written in.

        Raises:
            pydantic.ValidationError: the data are not what the type says.
        """
        if (model := self.models.get(event_type)) is not None:
            return model.model_validate_json(data)
        if (upcaster := self.upcasters.get(event_type)) is not None:
            return upcaster.event.model_validate(upcaster.upcast(json.loads(data)))
        return UnknownEvent(event_type, data.encode() if isinstance(data, str) else data)


def encode(event: Event) -> str:
    """The JSON text that is stored and published: the very same bytes in both places."""
    return event.model_dump_json()
