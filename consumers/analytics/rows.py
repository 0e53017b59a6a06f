"""An event as a row of a Parquet file: the envelope in columns, the data as they were published, nothing left out."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from urllib.parse import quote

import pyarrow as pa

from shared.schemas.envelope import Envelope, Headers
from shared.schemas.proof import day_of

_TIME: Final = pa.timestamp("us", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("log_id", pa.string()),
        pa.field("position", pa.int64()),
        pa.field("id", pa.string()),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("stream", pa.string()),
        pa.field("sequence", pa.int64()),
        pa.field("occurred_at", _TIME),
        pa.field("recorded_at", _TIME, nullable=False),
        pa.field("actor", pa.string()),
        pa.field("correlation_id", pa.string()),
        pa.field("causation_id", pa.string()),
        pa.field("command_id", pa.string()),
        pa.field("data", pa.string()),
        pa.field("data_bytes", pa.binary()),
        pa.field("headers", pa.map_(pa.string(), pa.binary())),
    ]
)
"""The same for every event, known or not. `data` is the JSON text, `data_bytes` what is no text; `headers` are all."""
Table: TypeAlias = Any
"""A pyarrow.Table, which ships without types."""
_PARTS: Final = 4
_NO_TYPE: Final = "none"


class Consumed(Protocol):
    """What is needed of a consumed record; `timestamp` is Kafka's, in milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def value(self) -> bytes | None: ...


class Row(NamedTuple):
    """The columns, in the order of `SCHEMA`."""

    topic: str
    partition: int
    offset: int
    log_id: str | None
    position: int | None
    id: str | None
    event_type: str
    stream: str | None
    sequence: int | None
    occurred_at: datetime | None
    recorded_at: datetime
    actor: str | None
    correlation_id: str | None
    causation_id: str | None
    command_id: str | None
    data: str | None
    data_bytes: bytes | None
    headers: list[tuple[str, bytes]]


class Drawer(NamedTuple):
    """Which folder a row lies in: one a service, type and day."""

    service: str
    type: str
    day: date

    @property
    def path(self) -> str:
        """As Hive names it, which DuckDB, Spark and pandas read as columns."""
        return f"service={self.service}/type={quote(self.type, safe='')}/day={self.day.isoformat()}"


def drawer_of(row: Row) -> Drawer:
    """By the topic's service, the event's name with its version, and the day on which it was stored."""
    service, parts = row.topic.split(".", 1)[0], row.event_type.split(".")
    known = len(parts) == _PARTS and parts[0] == "trellis"
    return Drawer(service, f"{parts[2]}.{parts[3]}" if known else row.event_type, day_of(row.recorded_at))


def event_row(record: Consumed, envelope: Envelope) -> Row:
    """An event of a service's log."""
    causation = envelope.causation_id
    return Row(
        record.topic,
        record.partition,
        record.offset,
        str(envelope.log_id),
        envelope.position,
        str(envelope.id),
        envelope.type,
        envelope.subject,
        envelope.sequence,
        envelope.time,
        envelope.recorded_at,
        str(envelope.actor),
        str(envelope.correlation_id),
        None if causation is None else str(causation),
        str(envelope.command_id),
        *_data(record),
    )


def feed_row(record: Consumed) -> Row:
    """A record of a feed, which has no chain and whose headers are whatever its writer put there."""
    headers = dict(record.headers)
    identity, type_, subject = (_text(headers.get(name)) for name in ("ce_id", "ce_type", "ce_subject"))
    return Row(
        record.topic,
        record.partition,
        record.offset,
        *(None, None),
        identity,
        type_ or _NO_TYPE,
        subject,
        None,
        _time(_text(headers.get("ce_time"))),
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
        *(None, None, None, None),
        *_data(record),
    )


def table(rows: Sequence[Row]) -> Table:
    """The rows as a table; there is one at least."""
    columns = [pa.array(column, type=field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _data(record: Consumed) -> tuple[str | None, bytes | None, list[tuple[str, bytes]]]:
    value, headers = record.value or b"", list(record.headers)
    try:
        return value.decode(), None, headers
    except UnicodeDecodeError:
        return None, value, headers


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
