"""What once went over the wire is read for ever: of each version a whole record, with its key and its headers.

`python -m shared.schemas records` keeps one of every version that has golden bytes; commit the files, and never change
one.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.schemas.envelope import Envelope, MalformedEnvelope, from_headers
from shared.schemas.event import UnknownEvent
from shared.schemas.feed import feed_type
from shared.schemas.published import ALL, PUBLISHED
from shared.schemas.topics import TOPICS
from shared.schemas.wire import RECORDS, WireRecord, write_records

CHAINED = {topic.name for topic in TOPICS if topic.chained}
FILES = sorted(RECORDS.glob("*.json"))
EVER_PUBLISHED = sorted({*ALL.models, *ALL.upcasters})


@pytest.mark.parametrize("event_type", EVER_PUBLISHED)
def test_every_version_has_a_record(event_type: str) -> None:
    assert (RECORDS / f"{event_type}.json").exists(), "run `python -m shared.schemas records` and commit the file"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_record_is_read_whole(file: Path) -> None:
    record = WireRecord.read(file)
    types = PUBLISHED[record.topic]
    if record.topic in CHAINED:
        envelope = from_headers(record.headers)
        assert isinstance(envelope, Envelope)
        assert (envelope.type, envelope.subject.encode()) == (file.stem, record.key)
        assert (envelope.sequence, envelope.previous_position, envelope.position) == (3, 1031, 1042)
        assert (envelope.time, envelope.policy_version) == (datetime(2026, 3, 31, 16, tzinfo=UTC), "3")
        assert envelope.causation_id is not None
        assert envelope.traceparent is not None
    assert feed_type(record.headers) == file.stem
    assert not isinstance(types.decode(file.stem, record.value), UnknownEvent)


def test_a_reader_that_no_longer_knew_a_header_would_be_found() -> None:
    record = WireRecord.read(RECORDS / "trellis.goals.GoalSet.v1.json")
    renamed = [("ce_place" if name == "ce_position" else name, value) for name, value in record.headers]
    with pytest.raises(MalformedEnvelope, match="ce_position is missing"):
        from_headers(renamed)


def test_a_version_without_a_record_gets_one_and_what_is_there_stays(tmp_path: Path) -> None:
    kept = tmp_path / "trellis.goals.GoalSet.v1.json"
    kept.write_text("kept")
    written = write_records(tmp_path)
    assert sorted([*written, "trellis.goals.GoalSet.v1"]) == EVER_PUBLISHED
    assert kept.read_text() == "kept"
    assert write_records(tmp_path) == []
