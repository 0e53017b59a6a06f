"""The event store: streams of events, appended whole or not at all, and read back by version."""

import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.append import Append, NewEvent, statement
from shared.eventsourcing.counts import AppendCounts
from shared.eventsourcing.database import driver
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.event import Event, EventTypes, UnknownEvent, encode
from shared.schemas.identifiers import PersonId

LARGEST_EVENT: Final = 900_000
"""Bytes of JSON: with its headers less than the 1 MiB that brokers and clients take by default."""

Seal: TypeAlias = Callable[[Event, UUID], Awaitable[Event]]
"""Encrypts the personal text of an event, bound to the event's id."""

_READ: Final = """select version, position, event_id, type, data from events
                   where stream = $1 and version > $2 order by version"""
_READ_ON: Final = """select s.version as head, e.version, e.position, e.event_id, e.type, e.data
                       from streams s left join events e on e.stream = s.stream and e.version > $2
                      where s.stream = $1 order by e.version"""
_READ_ALL: Final = """select stream, version, position, event_id, type, data from events
                       where stream = any($1::text[]) order by stream, version"""
_HOLD_NEW: Final = "insert into streams select s, 0 from unnest($1::text[]) s order by s on conflict do nothing"
_HOLD: Final = "select stream, version from streams where stream = any($1::text[]) order by stream for share"
_JSON: Final = json.JSONEncoder(separators=(",", ":"))


class KeyTaken(Exception):  # noqa: N818 - the word of the field
    """Another command with the same idempotency key was stored first; its answer is the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the envelope says of an event beside its data."""

    occurred_at: datetime
    actor: PersonId
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    policy_version: str | None = None
    traceparent: str | None = None

    @lru_cache(maxsize=16)  # noqa: B019 - a handful are kept: those of commands that are being handled
    def encode(self) -> str:
        """JSON; a command over many streams says the same of each of its events."""
        values: Mapping[str, Any] = {
            "occurred_at": self.occurred_at.isoformat(),
            "actor": str(self.actor),
            "command_id": str(self.command_id),
            "correlation_id": str(self.correlation_id),
            "causation_id": str(self.causation_id) if self.causation_id else None,
            "policy_version": self.policy_version,
            "traceparent": self.traceparent,
        }
        return _JSON.encode({name: value for name, value in values.items() if value is not None})

    @classmethod
    def decode(cls, text: str) -> "Metadata":
        values = json.loads(text)
        causation = values.get("causation_id")
        return cls(
            occurred_at=datetime.fromisoformat(values["occurred_at"]),
            actor=PersonId(UUID(values["actor"])),
            command_id=UUID(values["command_id"]),
            correlation_id=UUID(values["correlation_id"]),
            causation_id=UUID(causation) if causation else None,
            policy_version=values.get("policy_version"),
            traceparent=values.get("traceparent"),
        )


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream stands after an append."""

    version: int
    position: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event read back from its stream."""

    version: int
    position: int
    event_id: UUID
    event: Event


class EventStore:
    """The event table of one service. The very text that is stored is what the relay publishes."""

    def __init__(self, engine: AsyncEngine, types: EventTypes, *, seal: Seal | None = None) -> None:
        self.engine = engine
        self.counts = AppendCounts()
        self._types = types
        self._seal = seal

    async def prepare(self, events: Sequence[tuple[Event, Metadata]]) -> list[NewEvent]:
        """Mint the events' ids, seal their personal text, write their JSON.

        Raises:
            Rejected: Kafka would refuse an event, and whatever comes after it in the log would wait for ever.
        """
        prepared: list[NewEvent] = []
        for event, metadata in events:
            event_id = uuid7()
            sealed = event if self._seal is None else await self._seal(event, event_id)
            data = encode(sealed)
            if (size := len(data.encode())) > LARGEST_EVENT:
                raise Rejected("event-is-too-large", event=event.event_type, bytes=size, limit=LARGEST_EVENT)
            prepared.append(
                NewEvent(
                    event_id=event_id,
                    event_type=event.event_type,
                    data=data,
                    metadata=metadata.encode(),
                    sealed=None if sealed is event else sealed,
                )
            )
        return prepared

    async def read(self, connection: AsyncConnection, stream: str, *, after: int = 0) -> list[StoredEvent]:
        """The stream's events with a version above `after`, in order."""
        rows = await (await driver(connection)).fetch(_READ, stream, after)
        return [self._stored(row) for row in rows]

    async def read_on(self, connection: AsyncConnection, stream: str, *, after: int) -> list[StoredEvent] | None:
        """The stream's events behind this version of it; None: the stream has not come so far.

        It had, and the database was restored from a backup since.
        """
        rows = await (await driver(connection)).fetch(_READ_ON, stream, after)
        if not rows or rows[0]["head"] < after:
            return None
        return [self._stored(row) for row in rows if row["version"] is not None]

    async def read_all(self, connection: AsyncConnection, streams: Collection[str]) -> dict[str, list[StoredEvent]]:
        """Every event of these streams, in order, with one query; a stream that does not exist has none."""
        found: dict[str, list[StoredEvent]] = {stream: [] for stream in streams}
        for row in await (await driver(connection)).fetch(_READ_ALL, list(found)):
            found[row["stream"]].append(self._stored(row))
        return found

    def _stored(self, row: Any) -> StoredEvent:
        event = self._types.decode(row["type"], row["data"])
        if isinstance(event, UnknownEvent):
            raise TypeError(f"the store holds an event of type {event.event_type}, which this service does not know")
        return StoredEvent(row["version"], row["position"], row["event_id"], event)

    async def append(self, connection: AsyncConnection, appends: Sequence[Append]) -> dict[str, Head]:
        """Append each command's events whole or not at all.

        A stream that is missing in the answer had a conflict, or its idempotency key was there already.

        Takes the barrier (by the events table's trigger) until the transaction ends, so it is the transaction's last
        statement before checkpoint and commit.

        Raises:
            KeyTaken: an idempotency key was stored by somebody else at the same time; nothing was appended.
        """
        return await self.append_directly(await driver(connection), appends)

    async def append_directly(self, raw: Any, appends: Sequence[Append]) -> dict[str, Head]:
        """The same by the driver's own connection; outside of a transaction it is one of its own: one round trip."""
        began = time.perf_counter()
        try:
            rows = await raw.fetch(*statement(appends))
        except asyncpg.UniqueViolationError as error:
            if getattr(error, "table_name", None) == "idempotency_keys":
                raise KeyTaken from error
            raise
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            self.counts.conflicts += len(appends)
            raise Conflict(*(a.stream for a in appends)) from error
        heads = {row["stream"]: Head(row["version"], row["position"]) for row in rows}
        events = sum(len(a.events) for a in appends if a.stream in heads)
        self.counts.appended(began=began, events=events, conflicts=len(appends) - len(heads))
        return heads

    async def hold(self, connection: AsyncConnection, unchanged: Mapping[str, int]) -> None:
        """Keep these streams at these versions until the transaction ends.

        Raises:
            Conflict: one of them has changed.
        """
        if not unchanged:
            return
        raw = await driver(connection)
        try:
            if new := sorted(stream for stream, version in unchanged.items() if version == 0):
                await raw.execute(_HOLD_NEW, new)  # a stream that does not exist has no row to lock
            rows = await raw.fetch(_HOLD, sorted(unchanged))
        except asyncpg.DeadlockDetectedError as error:
            raise Conflict(*unchanged) from error
        found = {row["stream"]: row["version"] for row in rows}
        changed = [stream for stream, version in unchanged.items() if found.get(stream, 0) != version]
        if changed:
            raise Conflict(*changed)
