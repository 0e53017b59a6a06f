"""Dead letters: an event that cannot be applied is parked with its cause, and so are later events of its stream."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.walk import Record
from shared.schemas.envelope import Headers

CAP: Final = 1_000
"""Parked records of one reader beyond which a partition stops instead: that many are no accident."""

_PARK: Final = text(
    'insert into dead_letters (reader, topic, partition, "offset", fingerprint, stream, headers, payload, cause, '
    "waiting_for) values (:reader, :topic, :partition, :offset, :fingerprint, :stream, :headers, :payload, :cause, "
    ":waiting_for) on conflict do nothing"
)
_PARKED: Final = text("select distinct stream from dead_letters where reader = :reader and stream = any(:streams)")
_COUNT: Final = text("select count(*) from dead_letters where reader = :reader and waiting_for is null")
_WAITING: Final = text(
    "select stream, min(topic), min(partition) from dead_letters where reader = :reader "
    "and stream in (select stream from dead_letters where reader = :reader and waiting_for is not null) group by stream"
)
_OF_STREAM: Final = text(
    'select id, topic, partition, "offset", headers, payload from dead_letters '
    "where reader = :reader and stream = :stream order by id"
)


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record as it was parked."""

    id: int
    topic: str
    partition: int
    offset: int
    headers: Headers
    value: bytes | None


async def park(
    connection: AsyncConnection,
    reader: str,
    record: Record,
    *,
    stream: str | None,
    cause: str,
    waiting_for: str | None = None,
) -> None:
    """Set one record aside; parking it again changes nothing."""
    headers = [[name, base64.b64encode(value or b"").decode()] for name, value in record.headers]
    stored = json.dumps(headers)
    await connection.execute(
        _PARK,
        {
            "reader": reader,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "fingerprint": hashlib.sha256(stored.encode() + (record.value or b"")).digest(),
            "stream": stream,
            "headers": stored,
            "payload": record.value or b"",
            "cause": _storable(cause),
            "waiting_for": waiting_for,
        },
    )


async def parked_streams(connection: AsyncConnection, reader: str, streams: Sequence[str]) -> set[str]:
    """Those of the streams that wait behind a dead letter."""
    rows = await connection.execute(_PARKED, {"reader": reader, "streams": list(streams)})
    return set(rows.scalars())


async def count(connection: AsyncConnection, reader: str) -> int:
    """How many records the reader has parked."""
    return int((await connection.execute(_COUNT, {"reader": reader})).scalar_one())


async def waiting(engine: AsyncEngine, reader: str) -> list[tuple[str, str, int]]:
    """The streams that wait for a fact, each with its topic and partition."""
    async with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(_WAITING, {"reader": reader})]


async def of_stream(connection: AsyncConnection, reader: str, stream: str) -> list[ParkedRecord]:
    """The stream's parked records, in order."""
    rows: Any = await connection.execute(_OF_STREAM, {"reader": reader, "stream": stream})
    return [
        ParkedRecord(
            row.id,
            row.topic,
            row.partition,
            row.offset,
            [(name, base64.b64decode(value)) for name, value in json.loads(row.headers)],
            row.payload,
        )
        for row in rows
    ]


async def remove(connection: AsyncConnection, parked: ParkedRecord) -> None:
    """Take a record out that was applied after all."""
    await connection.execute(text("delete from dead_letters where id = :id"), {"id": parked.id})


async def keep(connection: AsyncConnection, parked: ParkedRecord, *, cause: str, waiting_for: str | None) -> None:
    """Say why a record was tried again and stays."""
    await connection.execute(
        text(
            "update dead_letters set attempts = attempts + 1, cause = :cause, waiting_for = :waiting_for where id = :id"
        ),
        {"id": parked.id, "cause": _storable(cause), "waiting_for": waiting_for},
    )


def _storable(cause: str) -> str:
    """What an exception says may hold anything; PostgreSQL's text holds no NUL and no lone surrogate."""
    return cause.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()


async def clear(connection: AsyncConnection, reader: str) -> None:
    """Forget what a reader parked, before it is rebuilt."""
    await connection.execute(text("delete from dead_letters where reader = :reader"), {"reader": reader})
