"""The decider: a record of pure functions that says what an aggregate is, what may happen to it and what then holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId


class Rejected(Exception):  # noqa: N818 - the word of the domain
    """A rule forbids the command. `rule` is its stable slug; `values` are what the rule saw."""

    def __init__(self, rule: str, **values: Any) -> None:
        super().__init__(rule, values)
        self.rule = rule
        self.values = values

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.rule} ({shown})" if shown else self.rule


class RequestBody(BaseModel):
    """What a client may say in a command: the fields that the edge does not add."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(RequestBody):
    """An intention, in the imperative, with the time and the actor that the edge knows."""

    at: AwareDatetime
    by: PersonId

    @classmethod
    def from_body(cls, body: RequestBody, *, at: datetime, by: PersonId, **facts: Any) -> Self:
        """The command for a request body whose fields it inherits, and the facts that the handler read."""
        return cls.model_validate({**dict(body), **facts, "at": at, "by": by})


State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Decider(Generic[State]):
    """An aggregate: `decide` and `evolve` are pure; `evolve` is total and never fails; already true is `[]`."""

    category: str
    initial: State
    decide: Callable[[State, Any], Sequence[Event]]
    evolve: Callable[[State, Any], State]

    def fold(self, events: Sequence[Event], state: State | None = None) -> State:
        """The state after these events, from `state` or from the beginning."""
        current = self.initial if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
