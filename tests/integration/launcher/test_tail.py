"""`trellis tail` on a real broker: every record is one line, whatever it is, and Ctrl-C ends it quietly."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.state import State
from launcher.tail import Record, line, records
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.kafka import Kafka
from shared.schemas.envelope import Envelope, LogMark, mark_to_headers, to_headers
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import PaymentId, PersonId
from shared.schemas.payroll import InstructionAccepted
from tests.conftest import NewTopic

pytestmark = pytest.mark.kafka

GOAL, ANN, LOG = derived("goal"), PersonId(derived("ann")), derived("log")
ENVELOPE = Envelope(
    id=derived("event"),
    source="trellis/goals",
    type="trellis.goals.GoalSet.v1",
    subject=f"goal-{GOAL}",
    time=datetime(2026, 3, 1, 12, tzinfo=UTC),
    sequence=1,
    log_id=LOG,
    position=1,
    previous_position=0,
    recorded_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    actor=ANN,
    correlation_id=derived("correlation"),
    causation_id=None,
    command_id=derived("command"),
)
SEALED = f'{{"title":{{"person":"{ANN}","key":"k","ciphertext":"c2VjcmV0","bound_to":"x"}},"weight":"1"}}'.encode()


@pytest.fixture
def cluster(kafka: Broker) -> Kafka:
    return Kafka(bootstrap=kafka.bootstrap, idempotence=kafka.idempotent_producer)


Sent = tuple[bytes | None, Sequence[tuple[str, bytes]]]


async def send(cluster: Kafka, topic: str, *sent: Sent) -> None:
    producer = cluster.producer()
    await producer.start()
    try:
        for value, headers in sent:
            await producer.send_and_wait(topic, value, key=b"key", partition=0, headers=headers)
    finally:
        await producer.stop()


async def shown(cluster: Kafka, topic: str, count: int) -> list[str | None]:
    """The lines of the first records."""
    found: list[Record] = []
    async with asyncio.timeout(30):
        async for record in records(cluster, [topic], from_beginning=True, until=asyncio.Event()):
            found.append(record)
            if len(found) == count:
                break
    lines = [line(record) for record in found]
    return [None if text is None else text.plain for text in lines]


async def test_an_event_is_one_line_with_its_stream_and_its_data(cluster: Kafka, new_topic: NewTopic) -> None:
    topic = await new_topic(partitions=1)
    await send(cluster, topic, (SEALED, to_headers(ENVELOPE)))
    (text,) = await shown(cluster, topic, 1)
    assert text is not None
    assert f'{topic} 0@0 GoalSet.v1 goal-{GOAL} {{"title": "<sealed text about {ANN}>", "weight": "1"}}' in text
    assert "\n" not in text


async def test_what_is_no_event_is_shown_as_such_and_log_marks_are_not_shown(
    cluster: Kafka, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=1)
    answer = InstructionAccepted(payment_id=PaymentId(derived("payment")), version=1)
    foreign = feed_headers(
        answer, identity=derived("answer"), source="payroll", subject="payment-1", time=ENVELOPE.time
    )
    await send(
        cluster,
        topic,
        (b"\x1b[31mboo\xff", []),
        (None, [("ce_type", b"\xff")]),
        (b"", mark_to_headers(LogMark(LOG, 1, ENVELOPE.id))),
        (answer.model_dump_json().encode(), foreign),
        (b"not json", to_headers(ENVELOPE)),
    )
    junk, tombstone, mark, feed, broken = await shown(cluster, topic, 5)
    assert junk is not None
    assert "no event (header ce_type is missing): 9 bytes" in junk
    assert "\x1b" not in junk
    assert tombstone is not None
    assert "no event (header ce_type is not UTF-8" in tombstone
    assert tombstone.endswith("no value")
    assert mark is None
    assert feed is not None
    assert "InstructionAccepted.v1 payment-1 {" in feed
    assert broken is not None
    assert broken.endswith("8 bytes 'not json'")


async def test_a_topic_that_is_not_there_is_named_with_those_that_are(cluster: Kafka, new_topic: NewTopic) -> None:
    there = await new_topic(partitions=1)
    with pytest.raises(LaunchFailed, match=f"The topic nowhere is not there. There are: .*{there}"):
        await anext(records(cluster, ["nowhere"], from_beginning=True, until=asyncio.Event()))


async def test_the_command_shows_what_is_there_and_ends_quietly_on_ctrl_c(
    cluster: Kafka, new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = await new_topic(partitions=1)
    await send(cluster, topic, (SEALED, to_headers(ENVELOPE)))
    state = State(tmp_path)
    state.create()
    state.remember_kafka(cluster.bootstrap)
    command = [sys.executable, "-m", "launcher", "tail", topic, "--from-beginning", "--folder", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(60):
        assert b"GoalSet.v1" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        complaint = await process.stderr.read()
        code = await process.wait()
    assert (code, complaint.decode()) == (0, f"Events of {topic}. Ctrl-C ends it.\n")
