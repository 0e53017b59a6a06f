"""A reaction: another publisher's event becomes our command, once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded

React: TypeAlias = Callable[[Decision, Recorded], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A policy: `react` loads what it needs and decides commands; the kernel appends once, at the end of the slice.

    Deterministic: the same event leads to the same commands. A broken rule is an outcome with its own event, so
    `react` catches `Rejected`. A fact that is not there yet: `raise WaitingFor("compensation:<person>")`. A new
    reaction starts with what is published from now on, or at the beginning.
    """

    name: str
    topics: tuple[str, ...]
    react: React
    once_per: Callable[[Recorded], UUID | None] | None = None
    """For a reaction to what a slice says together: of the events with the same key the last alone is reacted to."""
    starts: Literal["now", "beginning"] = "now"
