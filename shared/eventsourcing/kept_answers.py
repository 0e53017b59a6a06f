"""Kept answers: what a command was answered, by idempotency key, so that the same request gets the same answer."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.append import Key
from shared.eventsourcing.database import driver
from shared.eventsourcing.decision import Outcome
from shared.eventsourcing.errors import KeyReused
from shared.eventsourcing.store import KeyTaken

_KEPT: Final = """select request_hash, answer, version, position from idempotency_keys
                   where caller = $1 and route = $2 and key = $3"""
_KEEP: Final = text(
    "insert into idempotency_keys (caller, route, key, request_hash, answer, version, position) "
    "values (:caller, :route, :key, :request_hash, :answer, :version, :position) on conflict do nothing"
)
_JSON: Final = json.JSONEncoder(default=str)


def encode(stream: str, body: Mapping[str, Any]) -> str:
    """An answer as it is kept."""
    return _JSON.encode({"stream": stream, "body": body})


async def find(engine: AsyncEngine, key: Key, *, partitions: int) -> Outcome | None:
    """The outcome that was kept under the key, if there is one.

    Raises:
        KeyReused: the key came with another request.
    """
    async with engine.connect() as connection:
        row = await (await driver(connection)).fetchrow(_KEPT, key.caller, key.route, key.key)
    if row is None:
        return None
    if row["request_hash"] != key.request_hash:
        raise KeyReused(key.key)
    kept = json.loads(row["answer"])
    return Outcome(
        identity=UUID(kept["stream"].split("-", 1)[1]),
        stream=kept["stream"],
        version=row["version"],
        state=None,
        position=row["position"],
        partitions=partitions,
        answer=kept["body"],
        replayed=True,
    )


async def is_kept(connection: AsyncConnection, key: Key) -> bool:
    """Whether an answer is kept under the key, as the connection's transaction sees it."""
    return await (await driver(connection)).fetchrow(_KEPT, key.caller, key.route, key.key) is not None


async def keep(connection: AsyncConnection, key: Key, outcome: Outcome) -> None:
    """Keep an accepted answer although nothing was appended; otherwise the append keeps it.

    Raises:
        KeyTaken: somebody else's answer is kept already.
    """
    values = {
        "caller": key.caller,
        "route": key.route,
        "key": key.key,
        "request_hash": key.request_hash,
        "answer": encode(outcome.stream, outcome.answer),
        "version": outcome.version,
        "position": outcome.position,
    }
    if (await connection.execute(_KEEP, values)).rowcount == 0:
        raise KeyTaken
