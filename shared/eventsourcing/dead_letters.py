"""Dead letters: an event that cannot be applied is parked with its cause, and so are later events of its stream."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.causes import Cause
from shared.eventsourcing.walk import Record
from shared.schemas.envelope import Headers

CAP: Final = 1_000
"""Culprits of one reader beyond which a partition stops instead: that many are no accident."""
TOO_MANY: Final = "too many dead letters"
"""How the reason begins for which a partition stopped that goes on when they are fewer again."""

COLUMNS: Final = (
    'id, reader, topic, partition, "offset", stream, headers, payload, key, culprit, error, message, cause, '
    "waiting_for, attempts, parked_at, tried_at"
)
_PARK: Final = text(
    'insert into dead_letters (reader, topic, partition, "offset", fingerprint, stream, headers, payload, key, '
    "culprit, error, message, cause, waiting_for) values (:reader, :topic, :partition, :offset, :fingerprint, :stream, "
    ":headers, :payload, :key, :culprit, :error, :message, :cause, :waiting_for) on conflict do nothing"
)
_PARKED: Final = text(
    "select distinct stream from dead_letters "
    "where reader = :reader and stream = any(:streams) and discarded_at is null"
)
_PARKED_IN: Final = text(
    "select distinct topic, partition from dead_letters "
    "where reader = :reader and stream is not null and discarded_at is null"
)
_COUNT: Final = text(
    "select count(*) from dead_letters where reader = :reader and culprit and waiting_for is null "
    "and discarded_at is null"
)
_STANDING: Final = text("select count(*) from dead_letters where reader = :reader and discarded_at is null")
_WAITING: Final = text(
    "select stream, min(topic), min(partition) from dead_letters where reader = :reader and discarded_at is null "
    "and stream in (select stream from dead_letters where reader = :reader and waiting_for is not null "
    "               and discarded_at is null) group by stream"
)
_PLACES: Final = text(
    'select partition, "offset" from dead_letters where reader = :reader and topic = :topic and discarded_at is null'
)
_GIVEN_UP: Final = text(
    'select partition, "offset", fingerprint from dead_letters where reader = :reader and topic = :topic '
    "and discarded_at is not null"
)
_OF_STREAM: Final = text(
    f"select {COLUMNS} from dead_letters where reader = :reader and stream = :stream "  # noqa: S608 - a constant
    "and discarded_at is null order by id"
)
_FIND: Final = text(
    f"select {COLUMNS} from dead_letters where id = :id and discarded_at is null"  # noqa: S608 - a constant
)
_KEEP: Final = text(
    "update dead_letters set attempts = attempts + 1, tried_at = clock_timestamp(), culprit = true, error = :error, "
    "message = :message, cause = :cause, waiting_for = :waiting_for where id = :id"
)
_BEHIND_IT: Final = text(
    "update dead_letters set culprit = false, waiting_for = null where reader = :reader and stream = :stream "
    "and id <> :id and culprit"
)
_REMOVE_APPLIED: Final = text(
    "delete from dead_letters where reader = :reader and topic = :topic and partition = :partition "
    'and "offset" = :offset and fingerprint = :fingerprint and discarded_at is null'
)
_SET_ASIDE: Final = text(
    "update dead_letters set discarded_at = clock_timestamp(), headers = '[]', payload = null, key = null, "
    "waiting_for = null where id = :id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedRecord:
    """A record as it was parked.

    The `culprit` is the one of its stream that could not be applied; the others stand behind it. A record of a feed,
    and one whose headers are malformed, has no stream. `cause` is the traceback; `tried_at` when it was tried again.
    """

    id: int
    reader: str
    topic: str
    partition: int
    offset: int
    stream: str | None
    headers: Headers
    value: bytes | None
    key: bytes | None
    culprit: bool
    error: str | None
    message: str
    cause: str
    waiting_for: str | None
    attempts: int
    parked_at: datetime
    tried_at: datetime | None


async def park(
    connection: AsyncConnection,
    reader: str,
    record: Record,
    *,
    stream: str | None,
    cause: Cause,
    key: bytes | None = None,
) -> None:
    """Set one record aside; parking it again changes nothing, also when it was discarded."""
    headers = stored_headers(record.headers)
    await connection.execute(
        _PARK,
        {
            "reader": reader,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "fingerprint": _fingerprint(headers, record.value),
            "stream": stream,
            "headers": headers,
            "payload": record.value,
            "key": key,
            "culprit": cause.error is not None,
            "error": cause.error,
            "message": cause.message,
            "cause": cause.trace,
            "waiting_for": cause.waiting_for,
        },
    )


async def parked_streams(connection: AsyncConnection, reader: str, streams: Sequence[str]) -> set[str]:
    """Those of the streams that wait behind a dead letter."""
    rows = await connection.execute(_PARKED, {"reader": reader, "streams": list(streams)})
    return set(rows.scalars())


async def parked_in(connection: AsyncConnection, reader: str) -> set[tuple[str, int]]:
    """The partitions in which the reader has parked streams."""
    return {(row.topic, row.partition) for row in await connection.execute(_PARKED_IN, {"reader": reader})}


async def count(connection: AsyncConnection, reader: str) -> int:
    """How many culprits the reader has: neither what stands behind them nor what waits for a fact."""
    return int((await connection.execute(_COUNT, {"reader": reader})).scalar_one())


async def standing(connection: AsyncConnection, reader: str) -> int:
    """How many records the reader has parked, whatever for."""
    return int((await connection.execute(_STANDING, {"reader": reader})).scalar_one())


async def waiting(engine: AsyncEngine, reader: str) -> list[tuple[str, str, int]]:
    """The streams that wait for a fact, each with its topic and partition."""
    async with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(_WAITING, {"reader": reader})]


async def places(connection: AsyncConnection, reader: str, topic: str) -> set[tuple[int, int]]:
    """Partition and offset of each record of the topic that the reader has parked."""
    rows = await connection.execute(_PLACES, {"reader": reader, "topic": topic})
    return {(row[0], row[1]) for row in rows}


async def given_up(connection: AsyncConnection, reader: str, topic: str) -> set[tuple[int, int, bytes]]:
    """The records of the topic that were discarded, each as `identity_of` tells it."""
    rows = await connection.execute(_GIVEN_UP, {"reader": reader, "topic": topic})
    return {(row[0], row[1], bytes(row[2])) for row in rows}


def identity_of(record: Record) -> tuple[int, int, bytes]:
    """A record by its place and what it holds: after a topic was emptied another one may stand there."""
    return record.partition, record.offset, _fingerprint(stored_headers(record.headers), record.value)


async def of_stream(connection: AsyncConnection, reader: str, stream: str) -> list[ParkedRecord]:
    """The stream's parked records, in order."""
    return parked_records(await connection.execute(_OF_STREAM, {"reader": reader, "stream": stream}))


async def find(connection: AsyncConnection, identity: int) -> ParkedRecord | None:
    """The parked record with this id; one that was discarded is parked no more."""
    found = parked_records(await connection.execute(_FIND, {"id": identity}))
    return found[0] if found else None


def parked_records(rows: Iterable[Any]) -> list[ParkedRecord]:
    """Rows of `COLUMNS`."""
    return [_parked_record(row) for row in rows]


def _parked_record(row: Any) -> ParkedRecord:
    return ParkedRecord(
        id=row.id,
        reader=row.reader,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        stream=row.stream,
        headers=_headers(row.headers),
        value=row.payload,
        key=row.key,
        culprit=row.culprit,
        error=row.error,
        message=row.message,
        cause=row.cause,
        waiting_for=row.waiting_for,
        attempts=row.attempts,
        parked_at=row.parked_at,
        tried_at=row.tried_at,
    )


async def remove(connection: AsyncConnection, *parked: ParkedRecord) -> None:
    """Take records out that were applied after all."""
    await connection.execute(
        text("delete from dead_letters where id = any(:ids)"), {"ids": [record.id for record in parked]}
    )


async def remove_applied(connection: AsyncConnection, reader: str, record: Record) -> None:
    """Take a record out that was read again and could be applied."""
    await connection.execute(
        _REMOVE_APPLIED,
        {
            "reader": reader,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "fingerprint": _fingerprint(stored_headers(record.headers), record.value),
        },
    )


async def keep(connection: AsyncConnection, parked: ParkedRecord, cause: Cause) -> None:
    """Say why a record was tried again and stays: it is its stream's culprit now."""
    await connection.execute(
        _KEEP,
        {
            "id": parked.id,
            "error": cause.error,
            "message": cause.message,
            "cause": cause.trace,
            "waiting_for": cause.waiting_for,
        },
    )
    await connection.execute(_BEHIND_IT, {"reader": parked.reader, "stream": parked.stream, "id": parked.id})


async def set_aside(connection: AsyncConnection, parked: ParkedRecord) -> None:
    """Discard a record for good: what it held is deleted, and it is not parked again when it is read again."""
    await connection.execute(_SET_ASIDE, {"id": parked.id})


async def clear(connection: AsyncConnection, reader: str) -> None:
    """Forget what a reader parked, before it is rebuilt."""
    await connection.execute(text("delete from dead_letters where reader = :reader"), {"reader": reader})


async def rename(connection: AsyncConnection, reader: str, name: str) -> None:
    """What one reader parked belongs to another name."""
    await connection.execute(
        text("update dead_letters set reader = :name where reader = :reader"), {"reader": reader, "name": name}
    )


def stored_headers(headers: Headers) -> str:
    """Headers as the table holds them."""
    return json.dumps([[name, base64.b64encode(value or b"").decode()] for name, value in headers])


def _headers(stored: str) -> Headers:
    return [(name, base64.b64decode(value)) for name, value in json.loads(stored)]


def _fingerprint(headers: str, value: bytes | None) -> bytes:
    return hashlib.sha256(headers.encode() + (value or b"")).digest()
