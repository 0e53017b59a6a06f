"""What the services' event stores hold, read from their databases without any code of theirs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from launcher.postgres import PostgresServer

_EVENTS = """select position, stream, version, event_id::text, type, data, metadata, recorded_at from events
              order by position"""
_HEADS = "select stream, version from streams"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of an event table."""

    position: int
    stream: str
    version: int
    event_id: str
    type: str
    data: str
    metadata: Mapping[str, Any]
    row: Any


@dataclass(frozen=True, slots=True)
class EventLog:
    """One service's event store, in the order of positions."""

    service: str
    events: Sequence[StoredEvent]
    heads: Mapping[str, int]


async def query(server: PostgresServer, database: str, statement: str, *parameters: Any) -> list[Any]:
    """Rows of a service's database."""
    connection = await asyncpg.connect(server.dsn(database))
    try:
        return await connection.fetch(statement, *parameters)
    finally:
        await connection.close()


async def event_log(server: PostgresServer, service: str) -> EventLog:
    """All that a service has stored."""
    rows = await query(server, service, _EVENTS)
    heads = await query(server, service, _HEADS)
    return EventLog(service, [_event(row) for row in rows], {row["stream"]: row["version"] for row in heads})


def _event(row: Any) -> StoredEvent:
    return StoredEvent(
        row["position"],
        row["stream"],
        row["version"],
        row["event_id"],
        row["type"],
        row["data"],
        json.loads(row["metadata"]),
        row,
    )


def streams_are_whole(log: EventLog) -> None:
    """Every stream's versions are 1, 2, 3 ... up to its head, in the order of positions."""
    versions: dict[str, list[int]] = {}
    for event in log.events:
        versions.setdefault(event.stream, []).append(event.version)
    assert {stream: list(range(1, head + 1)) for stream, head in log.heads.items()} == versions
