"""A record's headers: read whole, and what cannot be read is named with what it held."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.schemas.envelope import Envelope, LogMark, MalformedEnvelope, from_headers, mark_to_headers, to_headers
from shared.schemas.identifiers import PersonId

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENVELOPE = Envelope(
    id=UUID(int=1),
    source="/trellis/goals",
    type="trellis.goals.GoalSet.v1",
    subject=f"goal-{UUID(int=2)}",
    time=AT,
    sequence=1,
    log_id=UUID(int=3),
    position=12,
    previous_position=7,
    recorded_at=AT,
    actor=PersonId(UUID(int=4)),
    correlation_id=UUID(int=5),
    causation_id=None,
    command_id=UUID(int=6),
)


def test_an_envelope_is_read_as_it_was_written() -> None:
    assert from_headers(to_headers(ENVELOPE)) == ENVELOPE


@pytest.mark.parametrize("previous_id", [None, UUID(int=9)])
def test_a_log_mark_is_read_as_it_was_written(previous_id: UUID | None) -> None:
    mark = LogMark(UUID(int=3), 12, previous_id)
    assert from_headers(mark_to_headers(mark)) == mark


@pytest.mark.parametrize(
    ("header", "value", "message"),
    [
        ("ce_id", b"sixteen bytes...", "header ce_id is not a UUID: 'sixteen bytes...'"),
        ("ce_causationid", b"7", "header ce_causationid is not a UUID: '7'"),
        ("ce_sequence", b"1.0", "header ce_sequence is not a number: '1.0'"),
        ("ce_sequence", "\u0661".encode(), "header ce_sequence is not a number: '\u0661'"),
        ("ce_position", b"-1", "header ce_position is not a number: '-1'"),
        ("ce_position", b"1" * 19, f"header ce_position is not a number: '{'1' * 19}'"),
        ("ce_time", b"1767225600", "header ce_time is not an RFC 3339 time: '1767225600'"),
        ("ce_recordedtime", b"yesterday", "header ce_recordedtime is not an RFC 3339 time: 'yesterday'"),
        ("ce_subject", b"goal\x00", "header ce_subject holds NUL: 'goal\\x00'"),
        ("ce_source", b"\xff", "header ce_source is not UTF-8: b'\\xff'"),
        ("traceparent", b"\xff", "header traceparent is not UTF-8: b'\\xff'"),
    ],
)
def test_a_malformed_header_is_named_with_what_it_held(header: str, value: bytes, message: str) -> None:
    with pytest.raises(MalformedEnvelope) as malformed:
        from_headers([*to_headers(ENVELOPE), (header, value)])
    assert str(malformed.value) == message


@pytest.mark.parametrize("header", ["ce_type", "ce_id", "ce_logid", "ce_actor", "ce_recordedtime"])
def test_a_missing_header_is_named(header: str) -> None:
    with pytest.raises(MalformedEnvelope, match=f"header {header} is missing"):
        from_headers([(name, value) for name, value in to_headers(ENVELOPE) if name != header])


@pytest.mark.parametrize("header", ["ce_causationid", "ce_policyversion", "traceparent"])
def test_a_header_that_need_not_be_there_may_be_null(header: str) -> None:
    null: list[tuple[str, bytes]] = [(header, None)]  # pyright: ignore[reportAssignmentType] - as Kafka delivers null
    assert from_headers([*to_headers(ENVELOPE), *null]) == ENVELOPE
