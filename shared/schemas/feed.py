"""Headers of records that carry no partition chain: the people feed, and payroll's answers."""

from datetime import datetime
from typing import Final
from uuid import UUID

from shared.schemas.envelope import Headers, MalformedEnvelope
from shared.schemas.event import Event

_SPECIFICATION: Final = b"1.0"


def feed_headers(event: Event, *, identity: UUID, source: str, subject: str, time: datetime) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of a foreign feed's record; `identity` is the record's, not the subject's."""
    return [
        ("ce_specversion", _SPECIFICATION),
        ("ce_id", str(identity).encode()),
        ("ce_source", source.encode()),
        ("ce_type", event.event_type.encode()),
        ("ce_subject", subject.encode()),
        ("ce_time", time.isoformat().encode()),
        ("content-type", b"application/json"),
    ]


def feed_type(headers: Headers) -> str:
    """The type of a foreign feed's record, which is all that a reader needs of its headers.

    Raises:
        MalformedEnvelope: there is none, or it is not UTF-8.
    """
    raw = dict(headers).get("ce_type")
    if raw is None:
        raise MalformedEnvelope("header ce_type is missing")
    try:
        return raw.decode()
    except (UnicodeDecodeError, AttributeError) as error:
        raise MalformedEnvelope(f"header ce_type is not UTF-8: {raw!r}") from error
