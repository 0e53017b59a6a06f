"""Check-in: a talk that a manager held with a person, its notes shared with that person or kept by the manager."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import Field

from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.feedback import CheckInHeld
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import LongText


class HoldCheckInBody(RequestBody):
    person: PersonId = Field(examples=["0199a1b2-0000-7000-8000-000000000103"])
    held_on: date = Field(examples=["2026-03-31"])
    notes: LongText | None = Field(default=None, examples=["Wants to learn the billing code."])
    shared: bool = Field(default=False, description="Whether the person reads the notes too.")
    goals: tuple[GoalId, ...] = Field(default=(), max_length=50, description="The goals that were spoken of.")


class HoldCheckIn(HoldCheckInBody, Command):
    """Recorded by the manager who held it; whether they manage the person is the API's question."""


@dataclass(frozen=True, slots=True)
class NotHeld: ...


@dataclass(frozen=True, slots=True)
class Held:
    person: PersonId
    manager: PersonId
    held_on: date
    shared: bool


CheckIn = NotHeld | Held


def evolve(check_in: CheckIn, event: CheckInHeld) -> CheckIn:
    match event:
        case CheckInHeld():
            return Held(person=event.person, manager=event.manager, held_on=event.held_on, shared=event.shared)
        case _:  # pyright: ignore[reportUnnecessaryComparison] - a later version's event is no reason to fail
            return check_in


def decide(check_in: CheckIn, command: HoldCheckIn) -> Sequence[CheckInHeld]:
    """The business day is that of the command's time, in the zone that the time carries."""
    if not isinstance(check_in, NotHeld):
        raise Rejected("check-in-is-already-held")
    if command.person == command.by:
        raise Rejected("check-in-is-not-with-oneself", person=command.person)
    if command.held_on > command.at.date():
        raise Rejected("check-in-is-not-in-the-future", held_on=command.held_on, today=command.at.date())
    return [
        CheckInHeld(
            person=command.person,
            manager=command.by,
            held_on=command.held_on,
            notes=None if command.notes is None else PersonalText.about(command.person, command.notes),
            shared=command.shared,
            goals=tuple(dict.fromkeys(command.goals)),
        )
    ]


CHECK_IN: Final[Decider[CheckIn]] = Decider(category="checkin", initial=NotHeld(), decide=decide, evolve=evolve)
