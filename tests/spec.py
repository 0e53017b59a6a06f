"""given / when / then for deciders: the shape of every rule's test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.schemas.event import Event

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class When(Generic[State]):
    decider: Decider[State]
    history: Sequence[Event]
    command: Command

    def then(self, *expected: Event) -> None:
        """Exactly these events; and deciding again after them adds nothing."""
        state = self.decider.fold(self.history)
        events = list(self.decider.decide(state, self.command))
        assert events == list(expected)

    def then_nothing(self) -> None:
        """Already true: no event."""
        self.then()

    def then_rejected(self, rule: str, **values: Any) -> None:
        """The rule with this slug forbids it and shows at least these values."""
        state = self.decider.fold(self.history)
        with pytest.raises(Rejected) as rejected:
            self.decider.decide(state, self.command)
        assert rejected.value.rule == rule
        shown = {name: rejected.value.values.get(name) for name in values}
        assert shown == values


@dataclass(frozen=True, slots=True)
class Given(Generic[State]):
    decider: Decider[State]
    history: Sequence[Event]

    def when(self, command: Command) -> When[State]:
        return When(self.decider, self.history, command)


def given(decider: Decider[State], *history: Event) -> Given[State]:
    """A decider and what happened to its aggregate so far."""
    return Given(decider, history)
