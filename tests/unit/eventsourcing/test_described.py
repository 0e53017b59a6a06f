"""What a log line says of a failure and of a record: kinds, ids and our own words, never what it was given."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import IntegrityError

from shared.eventsourcing.described import described
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.line_ids import ids_in

WRITTEN = "she cried in the meeting"
EVENT = "0199a1b2-0000-7000-8000-000000000001"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    length: int


class RefusedRow(asyncpg.NotNullViolationError):
    """As PostgreSQL answers."""

    detail = f"Failing row contains ({WRITTEN})."
    table_name = "feedback"
    column_name = "kind"


def refused_row() -> IntegrityError:
    adapted = Exception(WRITTEN)
    adapted.__cause__ = RefusedRow(f"null value in column, row ({WRITTEN})")
    return IntegrityError("insert", {}, adapted)


def invalid(**values: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Note.model_validate(values)
    return caught.value


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            KafkaConnectionError("no broker at b:9092"),
            "KafkaConnectionError: KafkaConnectionError: no broker at b:9092",
        ),
        (ConnectionRefusedError(111, "Connection refused"), "ConnectionRefusedError: [Errno 111] Connection refused"),
        (Conflict("goal-1"), "Conflict: changed meanwhile: goal-1"),
        (ValueError(WRITTEN), "ValueError"),
        (KeyError(WRITTEN), "KeyError"),
        (refused_row(), "IntegrityError: sqlstate 23502, table feedback, column kind"),
        (invalid(length=WRITTEN), "ValidationError: int_parsing at length"),
        (invalid(length=1, **{WRITTEN: 1}), "ValidationError: extra_forbidden at ..."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failure_is_told_without_what_it_was_given(error: Exception, told: str) -> None:
    assert described(error) == told


def test_a_records_ids_are_taken_from_its_headers_and_nothing_else_is() -> None:
    headers = [
        ("ce_id", EVENT.encode()),
        ("ce_correlationid", WRITTEN.encode()),
        ("ce_causationid", None),
        ("ce_subject", WRITTEN.encode()),
        ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()),
    ]
    assert ids_in(headers) == {"event_id": EVENT, "trace_id": TRACE}  # pyright: ignore[reportArgumentType]
    assert ids_in([("traceparent", b"\xff\xfe")]) == {}
