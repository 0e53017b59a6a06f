"""The export on a real broker: everything once, whatever its type, and nothing of a history that was replaced."""

from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from consumers.analytics import reading
from consumers.analytics.folder import MERGED_BEYOND, FolderBusy, opened
from consumers.analytics.following import LogReplaced
from consumers.analytics.manifest import NoManifest, load
from launcher.brokers.broker import Broker
from launcher.topics import Topic
from shared.eventsourcing.identifiers import derived
from shared.schemas.contract import GOLDENS
from shared.schemas.envelope import Envelope, from_headers
from tests.conftest import NewTopic
from tests.integration.consumers.analytics.exports import exported, rows, send
from tests.integration.eventsourcing.records import FakeRecord, Log, without
from tests.servers.topics import create_empty

pytestmark = pytest.mark.kafka
YOUNGER: Final = UUID("01950000-0000-7000-8000-000000000001")
STREAMS: Final = [f"tally-{derived(number)}" for number in range(5)]


def everything(log: Log) -> list[FakeRecord]:
    return [record for records in log.records.values() for record in records]


def on_disk(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.parquet")}


def retyped(record: FakeRecord, event_type: str, value: bytes) -> FakeRecord:
    """The record as an event of another type, and with a header that nobody knows yet."""
    headers = [(name, event_type.encode() if name == "ce_type" else content) for name, content in record.headers]
    return FakeRecord(record.topic, record.partition, record.offset, [*headers, ("ce_new", b"\xff")], value)


async def test_every_event_is_a_row_with_its_envelope_and_its_bytes(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=3))
    sent = [log.append(STREAMS[number % 5]) for number in range(40)]
    for partition in range(3):
        log.mark(partition)
    await send(kafka, topic, everything(log))
    run = await exported(kafka, tmp_path, topic)
    found = {row["id"]: row for row in rows(tmp_path)}
    assert (len(found), run.added[topic], run.holes()) == (40, 40, [])
    for record in sent:
        envelope = from_headers(record.headers)
        assert isinstance(envelope, Envelope)
        row = found[str(envelope.id)]
        assert row["data"].encode() == record.value
        assert dict(row["headers"]) == dict(record.headers)
        assert (row["topic"], row["partition"], row["stream"]) == (topic, record.partition, envelope.subject)


async def test_what_comes_later_is_added_and_nothing_is_added_twice(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=3))
    for round_ in range(MERGED_BEYOND + 3):
        fresh = [log.append(stream) for stream in STREAMS]
        resent = [log.again(record) for record in fresh]
        await send(kafka, topic, [*fresh, *resent])
        assert (await exported(kafka, tmp_path, topic)).added[topic] == len(fresh)
        assert len({row["id"] for row in rows(tmp_path)}) == len(rows(tmp_path)) == len(fresh) * (round_ + 1)
    assert (await exported(kafka, tmp_path, topic)).added[topic] == 0
    assert len(load(tmp_path).files) <= MERGED_BEYOND
    assert on_disk(tmp_path) == {file.path for file in load(tmp_path).files}


async def test_an_event_of_an_unknown_type_and_an_erased_text_survive_byte_for_byte(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=1), 1)
    sealed = (GOLDENS / "trellis.feedback.FeedbackGiven.v1.json").read_bytes()
    erased = (GOLDENS / "trellis.feedback.PersonalTextErased.v1.json").read_bytes()
    unknown = b'{"mood":"gr\xc3\xbcn","of":[1,2]}'
    sent = [
        retyped(log.append(STREAMS[0]), "trellis.feedback.FeedbackGiven.v1", sealed),
        retyped(log.append(STREAMS[0]), "trellis.feedback.PersonalTextErased.v1", erased),
        retyped(log.append(STREAMS[0]), "trellis.moods.MoodSaid.v7", unknown),
        retyped(log.append(STREAMS[0]), "odd/type=of.somebody", b"\xff\x00"),
    ]
    await send(kafka, topic, sent)
    run = await exported(kafka, tmp_path, topic)
    found = rows(tmp_path)
    assert [(row["data"] or "").encode() or row["data_bytes"] for row in found] == [
        sealed,
        erased,
        unknown,
        b"\xff\x00",
    ]
    assert all(dict(row["headers"])["ce_new"] == b"\xff" for row in found)
    assert run.unknown == {"trellis.moods.MoodSaid.v7": 1, "odd/type=of.somebody": 1}
    drawers = {file.drawer.split("/")[2] for file in load(tmp_path).files}
    assert drawers == {
        "type=FeedbackGiven.v1",
        "type=PersonalTextErased.v1",
        "type=MoodSaid.v7",
        "type=odd%2Ftype%3Dof.somebody",
    }


async def test_a_hole_is_named_until_the_missing_event_comes(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=1), 1)
    sent = [log.append(STREAMS[0]) for _ in range(5)]
    await send(kafka, topic, without(sent, sent[2]))
    run = await exported(kafka, tmp_path, topic)
    assert [run.reached(place).missing for place in run.holes()] == ["events between positions 2 and 5"]
    assert [row["position"] for row in rows(tmp_path)] == [1, 2]
    await send(kafka, topic, sent[2:])
    assert (await exported(kafka, tmp_path, topic)).holes() == []
    assert [row["position"] for row in rows(tmp_path)] == [1, 2, 3, 4, 5]


async def test_of_a_log_that_was_replaced_before_nothing_is_kept(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    old = Log(topic := await new_topic(partitions=1), 1)
    for number in range(25):
        old.append(STREAMS[number % 5])
    new = Log(topic, 1, log_id=YOUNGER, records=old.records)
    for number in range(12):
        new.append(STREAMS[number % 5])
    await send(kafka, topic, everything(new))
    await exported(kafka, tmp_path, topic)
    assert [(row["log_id"], row["position"]) for row in rows(tmp_path)] == [(str(YOUNGER), n) for n in range(1, 13)]


async def test_a_log_that_takes_the_place_of_the_exported_one_stops_the_export_until_a_person_rebuilds_it(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=1), 1)
    await send(kafka, topic, [log.append(STREAMS[0]) for _ in range(5)])
    await exported(kafka, tmp_path, topic)
    new = Log(topic, 1, log_id=YOUNGER)
    await send(kafka, topic, [new.append(STREAMS[0]) for _ in range(3)])
    with pytest.raises(LogReplaced, match=str(YOUNGER)):
        await exported(kafka, tmp_path, topic)
    assert len(rows(tmp_path)) == 5
    await exported(kafka, tmp_path, topic, anew=True)
    assert [row["log_id"] for row in rows(tmp_path)] == [str(YOUNGER)] * 3


async def test_a_topic_that_was_emptied_and_filled_again_adds_nothing_twice(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=1), 1)
    sent = [log.append(STREAMS[0]) for _ in range(20)]
    await send(kafka, topic, sent)
    await exported(kafka, tmp_path, topic)
    await create_empty(kafka.bootstrap, [Topic(topic, 1)])
    await send(kafka, topic, [*sent[:15]])
    assert (await exported(kafka, tmp_path, topic)).added[topic] == 0
    await send(kafka, topic, [*sent[15:], log.append(STREAMS[0])])
    assert (await exported(kafka, tmp_path, topic)).added[topic] == 1
    assert [row["position"] for row in rows(tmp_path)] == list(range(1, 22))


async def test_a_feed_is_exported_as_its_topic_is(
    kafka: Broker, new_topic: NewTopic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await new_topic(partitions=1)
    monkeypatch.setattr("consumers.analytics.export.FEEDS", (*reading.FEEDS, topic))
    answers = [
        FakeRecord(topic, 0, n, [("ce_id", b"%d" % n), ("ce_type", b"trellis.payroll.InstructionPaid.v1")], b"{}")
        for n in range(5)
    ]
    await send(kafka, topic, [*answers, FakeRecord(topic, 0, 5, [], b"\xff")])
    assert (await exported(kafka, tmp_path, topic)).added[topic] == 6
    assert (await exported(kafka, tmp_path, topic)).added[topic] == 0
    await create_empty(kafka.bootstrap, [Topic(topic, 1)])
    await send(kafka, topic, answers[:4])
    await exported(kafka, tmp_path, topic)
    assert sorted(row["id"] for row in rows(tmp_path)) == ["0", "1", "2", "3"]


async def test_two_exports_do_not_work_in_one_folder(kafka: Broker, new_topic: NewTopic, tmp_path: Path) -> None:
    topic = await new_topic(partitions=1)
    with opened(tmp_path), pytest.raises(FolderBusy):
        await exported(kafka, tmp_path, topic)


def test_a_manifest_that_is_none_is_refused_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(NoManifest, match="format"), opened(tmp_path):
        pass
    assert (tmp_path / "manifest.json").read_text() == '{"format": 2}'
