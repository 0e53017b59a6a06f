"""A reaction: another publisher's event becomes our command, once."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.store import EventStore
from shared.schemas.event import Event

React: TypeAlias = Callable[[Decision, Recorded], Awaitable[None]]
"""What one event leads to."""
ReadAhead: TypeAlias = Callable[[Decision, EventStore, Sequence[Recorded]], Awaitable[React]]
"""Reads what a slice's events will ask for, together, and gives the reaction that knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A policy: `react` loads what it needs and decides commands; the kernel appends once, at the end of the slice.

    Deterministic: the same event leads to the same commands. A broken rule is an outcome with its own event, so
    the reaction catches `Rejected`. A fact that is not there yet: `raise WaitingFor("compensation:<person>")`. A new
    reaction starts with what is published from now on, or at the beginning.
    """

    name: str
    topics: tuple[str, ...]
    react: ReadAhead
    events: Collection[type[Event]] | None = None
    """Those that it reacts to: it is given no others. None: all of its topics."""
    once_per: Callable[[Recorded], UUID | None] | None = None
    """For a reaction to what a slice says together: of the events with the same key the last alone is reacted to."""
    starts: Literal["now", "beginning"] = "now"


def one_by_one(react: React) -> ReadAhead:
    """A reaction that reads nothing ahead."""

    async def nothing_read(_decision: Decision, _store: EventStore, _events: Sequence[Recorded]) -> React:
        return react

    return nothing_read
