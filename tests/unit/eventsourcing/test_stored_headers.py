"""The relay writes headers straight from the rows: they are those of the envelope, byte for byte."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.eventsourcing.store import Metadata
from shared.eventsourcing.stored_envelope import envelope_of
from shared.eventsourcing.stored_headers import StoredHeaders
from shared.schemas.envelope import from_headers, to_headers
from shared.schemas.identifiers import PersonId

LOG = UUID("01900000-0000-7000-8000-000000000001")
times = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
metadata = st.builds(
    Metadata,
    occurred_at=times,
    actor=st.uuids().map(PersonId),
    command_id=st.uuids(),
    correlation_id=st.uuids(),
    causation_id=st.none() | st.uuids(),
    policy_version=st.none() | st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    traceparent=st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)
rows = st.fixed_dictionaries(
    {
        "stream": st.uuids().map("goal-{}".format),
        "version": st.integers(1, 10**6),
        "event_id": st.uuids(),
        "type": st.sampled_from(["trellis.goals.GoalSet.v1", "trellis.goals.GoalAligned.v1"]),
        "metadata": metadata.map(Metadata.encode),
        "position": st.integers(1, 10**15),
        "recorded_at": times,
    }
)


@given(row=rows, previous=st.integers(0, 10**15))
def test_headers_from_the_row_are_those_of_its_envelope(row: dict[str, Any], previous: int) -> None:
    envelope = envelope_of(row, source="/trellis/goals", log_id=LOG, previous_position=previous)
    written = StoredHeaders(source="/trellis/goals", log_id=LOG)
    headers = written.of(row, previous_position=previous, key=row["stream"].encode())
    assert headers == to_headers(envelope)
    assert from_headers(headers) == envelope
