"""The envelope: CloudEvents 1.0, Kafka protocol binding, binary content mode, and the partition chain's headers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.schemas.identifiers import PersonId

LOG_MARK: Final = "trellis.log.LogMark.v1"
"""A record without an event: it tells a partition's last position, so that a lost tail is noticed."""
_DIGITS: Final = 18
"""Of a number: what a bigint holds."""

Headers = Sequence[tuple[str, bytes]]


class MalformedEnvelope(ValueError):  # noqa: N818 - named for the fact
    """A record's headers are not an envelope; the message names the header and what it held."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a published record without opening its data.

    `position` is the record's place in its service's log, `previous_position` that of the record before it in the
    same partition (0: none), `log_id` the log they belong to (UUIDv7: a younger log compares greater).
    """

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    sequence: int
    log_id: UUID
    position: int
    previous_position: int
    recorded_at: datetime
    actor: PersonId
    correlation_id: UUID
    causation_id: UUID | None
    command_id: UUID
    policy_version: str | None = None
    traceparent: str | None = None

    @property
    def stream_id(self) -> UUID:
        """The aggregate's id: the stream's name without its category."""
        return UUID(self.subject.split("-", 1)[1])

    @property
    def category(self) -> str:
        """The aggregate's kind: the stream's name before the first hyphen."""
        return self.subject.split("-", 1)[0]


@dataclass(frozen=True, slots=True)
class LogMark:
    """The end of a partition as the relay knew it: the last position sent there (0: none) and that event's id."""

    log_id: UUID
    previous_position: int
    previous_id: UUID | None


def to_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The record headers of an envelope; a pure function, so that a re-sent record is byte-equal."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", envelope.time.isoformat().encode()),
        ("ce_dataschema", f"trellis:schema:{envelope.type}".encode()),
        ("ce_partitionkey", envelope.subject.encode()),
        ("ce_sequence", b"%d" % envelope.sequence),
        ("ce_logid", str(envelope.log_id).encode()),
        ("ce_position", b"%d" % envelope.position),
        ("ce_previousposition", b"%d" % envelope.previous_position),
        ("ce_recordedtime", envelope.recorded_at.isoformat().encode()),
        ("ce_actor", str(envelope.actor).encode()),
        ("ce_correlationid", str(envelope.correlation_id).encode()),
        ("ce_commandid", str(envelope.command_id).encode()),
        ("content-type", b"application/json"),
    ]
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", str(envelope.causation_id).encode()))
    if envelope.policy_version is not None:
        headers.append(("ce_policyversion", envelope.policy_version.encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers


def mark_to_headers(mark: LogMark) -> list[tuple[str, bytes]]:
    """The record headers of a log mark."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", LOG_MARK.encode()),
        ("ce_logid", str(mark.log_id).encode()),
        ("ce_previousposition", b"%d" % mark.previous_position),
    ]
    if mark.previous_id is not None:
        headers.append(("ce_previousid", str(mark.previous_id).encode()))
    return headers


class _Reader:
    """Reads one record's headers and says which one is missing or malformed."""

    def __init__(self, headers: Headers) -> None:
        self._raw = dict(headers)

    def optional(self, name: str) -> str | None:
        raw = self._raw.get(name)
        if raw is None:
            return None
        try:
            value = raw.decode()
        except (UnicodeDecodeError, AttributeError) as error:
            raise MalformedEnvelope(f"header {name} is not UTF-8: {raw!r}") from error
        if "\x00" in value:
            raise MalformedEnvelope(f"header {name} holds NUL: {raw!r}")
        return value

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise MalformedEnvelope(f"header {name} is missing")
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
            raise MalformedEnvelope(f"header {name} is not a number: {value!r}")
        return int(value)

    def uuid(self, name: str) -> UUID:
        return _uuid(name, self.text(name))

    def optional_uuid(self, name: str) -> UUID | None:
        value = self.optional(name)
        return None if value is None else _uuid(name, value)

    def time(self, name: str) -> datetime:
        value = self.text(name)
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise MalformedEnvelope(f"header {name} is not an RFC 3339 time: {value!r}") from error


def _uuid(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise MalformedEnvelope(f"header {name} is not a UUID: {value!r}") from error


def from_headers(headers: Headers) -> Envelope | LogMark:
    """The envelope, or the log mark, that a record's headers hold.

    Raises:
        MalformedEnvelope: a header is missing or malformed; it is named.
    """
    read = _Reader(headers)
    event_type = read.text("ce_type")
    if event_type == LOG_MARK:
        return LogMark(read.uuid("ce_logid"), read.number("ce_previousposition"), read.optional_uuid("ce_previousid"))
    return Envelope(
        id=read.uuid("ce_id"),
        source=read.text("ce_source"),
        type=event_type,
        subject=read.text("ce_subject"),
        time=read.time("ce_time"),
        sequence=read.number("ce_sequence"),
        log_id=read.uuid("ce_logid"),
        position=read.number("ce_position"),
        previous_position=read.number("ce_previousposition"),
        recorded_at=read.time("ce_recordedtime"),
        actor=PersonId(read.uuid("ce_actor")),
        correlation_id=read.uuid("ce_correlationid"),
        causation_id=read.optional_uuid("ce_causationid"),
        command_id=read.uuid("ce_commandid"),
        policy_version=read.optional("ce_policyversion"),
        traceparent=read.optional("traceparent"),
    )
