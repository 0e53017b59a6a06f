"""A decision: load, decide over one or more streams, and know what is to be appended."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.append import Key
from shared.eventsourcing.decider import Command, Decider
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.identifiers import stream_name
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.store import EventStore, Metadata
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId

State = TypeVar("State")

_IN_TURN: Final = text("select version from streams where stream = :stream for update")
_ALL_IN_TURN: Final = text("select version from streams where stream = any(:streams) order by stream for update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the edge knows of a command: who, when, why, and under which conditions it may be accepted."""

    actor: PersonId
    at: datetime
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    policy_version: str | None = None
    traceparent: str | None = None
    expected_version: int | None = None
    idempotency: Key | None = None
    guards: dict[str, Callable[[Any], None]] = field(default_factory=dict[str, Callable[[Any], None]], compare=False)
    """By stream: refuses to decide on a state that is not what the edge took for granted, as who may do this."""

    def guard(self, stream: str, state: object) -> None:
        """Let a command be decided on this state of the stream, or not.

        Raises:
            Conflict: what the edge took for granted has changed meanwhile.
        """
        if (guard := self.guards.get(stream)) is not None:
            guard(state)

    @property
    def metadata(self) -> Metadata:
        return Metadata(
            occurred_at=self.at,
            actor=self.actor,
            command_id=self.command_id,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            policy_version=self.policy_version,
            traceparent=self.traceparent,
        )


@dataclass(frozen=True, slots=True)
class Loaded(Generic[State]):
    """A stream's state, its version (0: does not exist) and the position of its last event."""

    state: State
    version: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An accepted command: where its stream stands, and the answer that the caller gets (also when asked again)."""

    identity: UUID
    stream: str
    version: int
    state: Any
    position: int
    partitions: int
    answer: Mapping[str, Any]
    replayed: bool = False

    @property
    def partition(self) -> int:
        """Where its events are published."""
        return partition_of(self.stream, self.partitions)


Answer: TypeAlias = Callable[[UUID, int, Any], Mapping[str, Any]]
"""From the stream's id, version and state to the body of the answer."""


def no_answer(_identity: UUID, _version: int, _state: Any) -> Mapping[str, Any]:
    return {}


@dataclass(slots=True)
class Change:
    """What a decision does to one stream so far."""

    decider: Decider[Any]
    identity: UUID
    before: Loaded[Any]
    state: Any
    events: list[tuple[Event, Metadata]] = field(default_factory=list[tuple[Event, Metadata]])


Load: TypeAlias = Callable[[AsyncConnection, Decider[Any], UUID], Awaitable[Loaded[Any]]]


class Decision:
    """Loads and decides over one or more streams in one transaction; appends once, at its end.

    `decided` counts its commands.
    """

    def __init__(self, connection: AsyncConnection, load: Load, context: Context) -> None:
        self.connection = connection
        self.context = context
        self._load = load
        self._changes: dict[str, Change] = {}
        self._held: dict[str, int] = {}
        self.decided = 0
        self._given: dict[str, Loaded[Any]] = {}

    @property
    def context(self) -> Context:
        return self._context

    @context.setter
    def context(self, context: Context) -> None:
        """What is decided from now on carries this: under which policy, for one."""
        self._context = context
        self._metadata = context.metadata

    async def read_ahead(self, store: EventStore, decider: Decider[State], identities: Iterable[UUID]) -> None:
        """Load many streams with one query; to decide on one of them asks the store no more."""
        streams = [stream_name(decider.category, identity) for identity in identities]
        for stream, events in (await store.read_all(self.connection, streams)).items():
            state = decider.fold([stored.event for stored in events])
            last = events[-1] if events else None
            self._given[stream] = Loaded(state, last.version if last else 0, last.position if last else 0)

    async def load(self, decider: Decider[State], identity: UUID) -> Loaded[State]:
        """The stream as this decision leaves it so far."""
        stream = stream_name(decider.category, identity)
        if (change := self._changes.get(stream)) is not None:
            return Loaded(change.state, change.before.version + len(change.events), change.before.position)
        return self._given.get(stream) or await self._load(self.connection, decider, identity)

    async def hold(self, decider: Decider[State], identity: UUID) -> Loaded[State]:
        """Load a stream that must still be unchanged when this decision commits; to hold it again reads nothing."""
        stream, loaded = stream_name(decider.category, identity), await self.load(decider, identity)
        self._held[stream] = loaded.version
        if stream not in self._changes:
            self._given[stream] = loaded
        return loaded

    async def in_turn(self, decider: Decider[State], identity: UUID) -> Loaded[State]:
        """Load a contended stream once nobody else is deciding on it: in turn instead of in conflict."""
        stream = stream_name(decider.category, identity)
        self._given.pop(stream, None)
        await self.connection.execute(_IN_TURN, {"stream": stream})
        return await self.load(decider, identity)

    async def enter(self, decider: Decider[Any], identities: Iterable[UUID]) -> None:
        """Decide on these streams in turn: they are entered with one statement and in one order, then loaded."""
        streams = sorted(stream_name(decider.category, identity) for identity in identities)
        for stream in streams:
            self._given.pop(stream, None)
        await self.connection.execute(_ALL_IN_TURN, {"streams": streams})

    async def decide(self, decider: Decider[State], identity: UUID, command: Command) -> State:
        """Decide a command on a stream and return the state after it; the events are appended at the end.

        Raises:
            Rejected: a rule forbids it; nothing of this command is kept.
            Conflict: this decision holds the stream, which has moved since; decide afresh.
        """
        stream = stream_name(decider.category, identity)
        if stream not in self._changes:
            loaded = self._given.get(stream) or await self._load(self.connection, decider, identity)
            if self._held.get(stream, loaded.version) != loaded.version:
                raise Conflict(stream)
            self.context.guard(stream, loaded.state)
            self._changes[stream] = Change(decider, identity, loaded, loaded.state)
        change = self._changes[stream]
        self.decided += 1
        events = decider.decide(change.state, command)
        change.events.extend((event, self._metadata) for event in events)
        change.state = decider.fold(events, change.state)
        return change.state

    def mark(self) -> dict[str, tuple[Any, int]]:
        """Where this decision stands, to come back to."""
        return {stream: (change.state, len(change.events)) for stream, change in self._changes.items()}

    def back_to(self, mark: Mapping[str, tuple[Any, int]]) -> None:
        """Forget what was decided since the mark."""
        for stream in list(self._changes):
            if stream not in mark:
                del self._changes[stream]
                continue
            change = self._changes[stream]
            change.state, count = mark[stream]
            del change.events[count:]

    @property
    def changes(self) -> Mapping[str, Change]:
        return self._changes

    @property
    def held(self) -> Mapping[str, int]:
        """The streams to hold that this decision does not itself move."""
        return {s: v for s, v in self._held.items() if s not in self._changes or not self._changes[s].events}


Plan: TypeAlias = Callable[[Decision], Awaitable[None]]
