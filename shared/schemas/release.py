"""What was released, and what of today's events would break it: the gate in front of every change of the contract."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.schemas.compatibility import Breach, Breaks, breaches
from shared.schemas.contract import SCHEMAS, schema_of, type_of_schema
from shared.schemas.event import EventTypes

RELEASED: Final = Path(__file__).parent / "released"
"""The schemas as the last release published them, one file a version of an event."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change of an event type that must not be published under this type; `topic` is where it is written."""

    event_type: str
    topic: str
    breach: Breach

    def told(self, subscribers: Mapping[str, tuple[str, ...]]) -> str:
        """The refusal in words: what changed, who would break, and what to do instead."""
        where = f"{self.event_type}: {self.breach.field}" if self.breach.field else self.event_type
        who = ", ".join(subscribers.get(self.topic, ())) or "nobody we know"
        return (
            f"{where} {self.breach.change}.\n"
            f"  It breaks {self.breach.breaks}. {self.topic} is read by: {who}.\n"
            f"  Instead: {_instead(self.event_type, self.breach)}"
        )


def refusals(published: Mapping[str, EventTypes], released: Path = RELEASED) -> list[Refusal]:
    """Every change of what was released that a reader would not survive, by event type.

    Every version that was ever released is compared, also those that are only read any more.
    """
    return [
        Refusal(event_type, _topic(published, event_type), breach)
        for file in sorted(released.rglob("*.json"))
        for event_type in (type_of_schema(file),)
        for breach in _breaches(published, event_type, json.loads(file.read_text(encoding="utf-8")))
    ]


def _breaches(published: Mapping[str, EventTypes], event_type: str, old: dict[str, object]) -> Iterator[Breach]:
    models = {name: model for types in published.values() for name, model in types.models.items()}
    upcast = {name for types in published.values() for name in types.upcasters}
    if event_type in models:
        yield from breaches(old, schema_of(models[event_type]))
    elif event_type not in upcast:
        yield Breach("", "is read by no version any more", Breaks.NEW_READER)


def release(published: Mapping[str, EventTypes], released: Path = RELEASED, schemas: Path = SCHEMAS) -> list[str]:
    """Keep today's schemas as those of the last release; the event types that are new or have grown.

    Raises:
        Unreleasable: something released would break.
    """
    if refused := refusals(published, released):
        raise Unreleasable(refused)
    changed: list[str] = []
    for file in sorted(schemas.rglob("*.json")):
        kept, text = released / file.relative_to(schemas), file.read_text(encoding="utf-8")
        if not kept.exists() or kept.read_text(encoding="utf-8") != text:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(text, encoding="utf-8")
            changed.append(type_of_schema(file))
    return changed


class Unreleasable(ValueError):  # noqa: N818 - named for the fact
    """What is to be released would break what was."""

    def __init__(self, refused: list[Refusal]) -> None:
        super().__init__(f"{len(refused)} changes would break a reader")
        self.refused = refused


def _topic(published: Mapping[str, EventTypes], event_type: str) -> str:
    publisher = f"{event_type.split('.')[1]}."
    return next((topic for topic, types in published.items() if event_type in types.models), f"{publisher}events")


def _instead(event_type: str, breach: Breach) -> str:
    name, _, number = event_type.rpartition(".v")
    successor = f"{name}.v{int(number) + 1}"
    if breach.change.startswith("is new and must be there"):
        return f"give it a default, or publish {successor} with an upcaster from {event_type}."
    if not breach.field:
        return f"keep an upcaster from {event_type} to what is written today."
    return f"leave it as it was and publish {successor} with an upcaster from {event_type}."
