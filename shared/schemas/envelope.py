"""The envelope: CloudEvents 1.0, Kafka protocol binding, binary content mode, and the partition chain's headers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from shared.schemas.event import schema_uri
from shared.schemas.identifiers import PersonId

LOG_MARK: Final = "trellis.log.LogMark.v1"
"""A record without an event: it tells a partition's last position, so that a lost tail is noticed."""
_LOG_MARK_TYPE: Final = LOG_MARK.encode()
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
        ("ce_dataschema", schema_uri(envelope.type).encode()),
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
        ("ce_type", _LOG_MARK_TYPE),
        ("ce_logid", str(mark.log_id).encode()),
        ("ce_previousposition", b"%d" % mark.previous_position),
    ]
    if mark.previous_id is not None:
        headers.append(("ce_previousid", str(mark.previous_id).encode()))
    return headers


class _Kind(NamedTuple):
    """How a header is read, and what is wrong with one that cannot be."""

    schema: CoreSchema
    wrong: str


_TEXT: Final = _Kind(core_schema.str_schema(pattern=r"^[^\x00]*$"), "holds NUL")
_NUMBER: Final = _Kind(
    core_schema.chain_schema([core_schema.str_schema(pattern=rf"^[0-9]{{1,{_DIGITS}}}$"), core_schema.int_schema()]),
    "is not a number",
)
_UUID: Final = _Kind(
    core_schema.chain_schema([core_schema.str_schema(), core_schema.uuid_schema()]),  # its bytes alone are none
    "is not a UUID",
)
_TIME: Final = _Kind(
    core_schema.chain_schema([core_schema.str_schema(pattern="^[0-9]{4}-"), core_schema.datetime_schema()]),
    "is not an RFC 3339 time",
)
_ENVELOPE: Final = {
    "ce_type": ("type", _TEXT),
    "ce_id": ("id", _UUID),
    "ce_source": ("source", _TEXT),
    "ce_subject": ("subject", _TEXT),
    "ce_time": ("time", _TIME),
    "ce_sequence": ("sequence", _NUMBER),
    "ce_logid": ("log_id", _UUID),
    "ce_position": ("position", _NUMBER),
    "ce_previousposition": ("previous_position", _NUMBER),
    "ce_recordedtime": ("recorded_at", _TIME),
    "ce_actor": ("actor", _UUID),
    "ce_correlationid": ("correlation_id", _UUID),
    "ce_causationid": ("causation_id", _UUID),
    "ce_commandid": ("command_id", _UUID),
    "ce_policyversion": ("policy_version", _TEXT),
    "traceparent": ("traceparent", _TEXT),
}
_LOG_MARK: Final = {
    "ce_logid": ("log_id", _UUID),
    "ce_previousposition": ("previous_position", _NUMBER),
    "ce_previousid": ("previous_id", _UUID),
}
_OPTIONAL: Final = ("ce_causationid", "ce_policyversion", "traceparent", "ce_previousid")


def _reading(cls: type[Any], headers: Mapping[str, tuple[str, _Kind]]) -> SchemaValidator:
    """Reads a dict of headers in one go: a record's dozen and a half cost more, one by one, than all the rest of it."""
    fields: list[core_schema.DataclassField] = []
    for header, (name, kind) in headers.items():
        schema = kind.schema
        if header in _OPTIONAL:
            schema = core_schema.with_default_schema(core_schema.nullable_schema(schema), default=None)
        fields.append(core_schema.dataclass_field(name, schema, validation_alias=header))
    arguments = core_schema.dataclass_args_schema(cls.__name__, fields, extra_behavior="ignore")
    names = [name for name, _ in headers.values()]
    return SchemaValidator(core_schema.dataclass_schema(cls, arguments, names, slots=True, frozen=True))


_READ_ENVELOPE: Final = _reading(Envelope, _ENVELOPE)
_READ_LOG_MARK: Final = _reading(LogMark, _LOG_MARK)


def from_headers(headers: Headers) -> Envelope | LogMark:
    """The envelope, or the log mark, that a record's headers hold.

    Raises:
        MalformedEnvelope: a header is missing or malformed; it is named.
    """
    raw = dict(headers)
    read = _READ_LOG_MARK if raw.get("ce_type") == _LOG_MARK_TYPE else _READ_ENVELOPE
    try:
        return read.validate_python(raw)
    except ValidationError as error:
        raise MalformedEnvelope(_what_is_wrong(error, raw)) from error


def _what_is_wrong(error: ValidationError, raw: Mapping[str, bytes]) -> str:
    header = str(error.errors(include_url=False)[0]["loc"][0])
    value = raw.get(header)
    if value is None:
        return f"header {header} is missing"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"header {header} is not UTF-8: {value!r}"
    _, kind = (_ENVELOPE | _LOG_MARK)[header]
    return f"header {header} {kind.wrong}: {text!r}"
