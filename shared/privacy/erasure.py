"""Erasure: the record, kept for ever, that a person's texts were made unreadable; each service keeps its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.eventsourcing.decider import Command, Decider
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId


class EraseText(Command):
    """Given after the key is gone, so that the event never says more than is true."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class Kept: ...


@dataclass(frozen=True, slots=True)
class Erased: ...


Texts = Kept | Erased


def texts_of(erased: Callable[..., Event]) -> Decider[Texts]:
    """A person's texts in a service whose event for their erasure this is, with `person` and `by`."""

    def evolve(_texts: Texts, _event: Event) -> Texts:
        return Erased()

    def decide(texts: Texts, command: EraseText) -> Sequence[Event]:
        match texts:
            case Erased():
                return []
            case Kept():
                return [erased(person=command.person, by=command.by)]

    return Decider(category="person", initial=Kept(), decide=decide, evolve=evolve)
