"""What every contender of `append` decides: a counter that counts one more, with a note of a hundred characters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.schemas.event import Event, EventTypes

NOTE: Final = "n" * 100


class Counted(Event):
    """Something was counted."""

    event_type: ClassVar[str] = "trellis.benchmark.Counted.v1"

    number: int
    note: str


class Start(Command):
    """Begin a counter, with one."""

    note: str


class Count(Command):
    """Count one more."""

    note: str


@dataclass(frozen=True, slots=True)
class NotStarted: ...


@dataclass(frozen=True, slots=True)
class Started:
    number: int


Counter = NotStarted | Started


def decide(counter: Counter, command: Command) -> Sequence[Event]:
    match counter, command:
        case NotStarted(), Start():
            return [Counted(number=1, note=command.note)]
        case Started(), Count():
            return [Counted(number=counter.number + 1, note=command.note)]
        case Started(), _:
            return []
        case _:
            raise Rejected("counter-must-be-started")


def evolve(counter: Counter, event: Event) -> Counter:
    return Started(event.number) if isinstance(event, Counted) else counter


COUNTER: Final[Decider[Counter]] = Decider(category="counter", initial=NotStarted(), decide=decide, evolve=evolve)
TYPES: Final = EventTypes.of((Counted,))
