"""Erasure: the record, kept for ever, that the texts about a person were made unreadable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.eventsourcing.decider import Command, Decider
from shared.schemas.identifiers import PersonId
from shared.schemas.reviews import PersonalTextErased


class EraseText(Command):
    """Given after the key is gone, so that the event never says more than is true."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class Kept: ...


@dataclass(frozen=True, slots=True)
class Erased: ...


Texts = Kept | Erased


def evolve(texts: Texts, event: PersonalTextErased) -> Texts:
    match event:
        case PersonalTextErased():
            return Erased()
        case _:  # pyright: ignore[reportUnnecessaryComparison]
            return texts


def decide(texts: Texts, command: EraseText) -> Sequence[PersonalTextErased]:
    match texts:
        case Erased():
            return []
        case Kept():
            return [PersonalTextErased(person=command.person, by=command.by)]


TEXTS: Final[Decider[Texts]] = Decider(category="person", initial=Kept(), decide=decide, evolve=evolve)
