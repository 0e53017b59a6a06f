"""The example subscribers, each in its language, on Apache Kafka: they print the same, and notice what is missing."""

import asyncio
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import pytest

from launcher.brokers.broker import Broker
from launcher.brokers.kafka_distribution import libraries
from shared.eventsourcing.identifiers import derived
from tests.conftest import NewTopic
from tests.integration.eventsourcing.records import FakeRecord, Log, without
from tests.integration.eventsourcing.running import kafka_of

pytestmark = [pytest.mark.kafka, pytest.mark.apache]
EXAMPLES: Final = Path(__file__).parents[3] / "examples"
PARTITIONS: Final = 3
YOUNGER: Final = UUID("01950000-0000-7000-8000-000000000001")


@dataclass(frozen=True)
class Ended:
    """How a subscriber ended, and what it printed."""

    code: int
    said: str


class Subscriber(Protocol):
    """Runs one of the examples; `scratch` is a folder that it may fill."""

    def __call__(self, scratch: Path, /, *arguments: str) -> Awaitable[Ended]: ...


def a_log_with_a_past(topic: str) -> Log:
    """A log that took the place of another, with records that came twice, a hole that healed, and marks."""
    old, log = Log(topic, PARTITIONS), Log(topic, PARTITIONS, log_id=YOUNGER)
    log.records = old.records
    for number in range(20):
        old.append(f"tally-{derived(number)}")
    sent = [log.append(f"tally-{derived(number % 7)}") for number in range(40)]
    for record in sent[-5:]:
        log.again(record)
    ahead = log.append(stream := f"tally-{derived(1)}")
    log.records[log.of(stream)].remove(ahead)
    following = log.append(stream)
    log.again(ahead)
    log.again(following)
    for partition in range(PARTITIONS):
        log.mark(partition)
    return log


def line(log: Log) -> str:
    """What is to be printed, with the checksum that docs/subscribing.md defines."""
    digests = [hashlib.sha256() for _ in range(PARTITIONS)]
    events: dict[int, FakeRecord] = {}
    for record in (record for records in log.records.values() for record in records):
        headers = dict(record.headers)
        if headers["ce_logid"] == str(YOUNGER).encode() and "ce_position" in headers:
            events[int(headers["ce_position"])] = record
    for _, record in sorted(events.items()):
        identity = UUID(dict(record.headers)["ce_id"].decode())
        digests[record.partition].update(identity.bytes + hashlib.sha256(record.value or b"").digest())
    whole = hashlib.sha256(b"".join(digest.digest() for digest in digests))
    return f"{log.topic} {len(events)} {whole.hexdigest()} unbroken"


async def send(kafka: Broker, topic: str, partitions: dict[int, Sequence[FakeRecord]]) -> None:
    producer = kafka_of(kafka).producer()
    await producer.start()
    try:
        for partition, records in partitions.items():
            for record in records:
                await producer.send_and_wait(
                    topic, record.value, partition=partition, headers=list(record.headers), key=b"key"
                )
    finally:
        await producer.stop()


async def ran(*command: str, folder: Path) -> Ended:
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, complained = await process.communicate()
    assert process.returncode in {0, 1}, complained.decode()
    return Ended(process.returncode or 0, said.decode().strip())


async def in_python(_scratch: Path, *arguments: str) -> Ended:
    return await ran(sys.executable, str(EXAMPLES / "python" / "subscriber.py"), *arguments, folder=EXAMPLES)


async def in_java(_scratch: Path, *arguments: str) -> Ended:
    jars = await asyncio.to_thread(libraries)
    program = str(EXAMPLES / "java" / "Subscriber.java")
    return await ran("java", "-cp", f"{jars}/*", program, *arguments, folder=EXAMPLES)


async def in_javascript(scratch: Path, *arguments: str) -> Ended:
    shutil.copytree(EXAMPLES / "node", scratch, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    installed = await ran("npm", "install", "--silent", "--no-package-lock", folder=scratch)
    assert installed.code == 0, installed.said
    return await ran("node", "subscriber.mjs", *arguments, folder=scratch)


NO_JAVA: Final = pytest.mark.skipif(shutil.which("mvn") is None, reason="there is no Java with Maven")
NO_NODE: Final = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no Node.js")
LANGUAGES: Final = [
    pytest.param(in_python, id="Python"),
    pytest.param(in_java, id="Java", marks=NO_JAVA),
    pytest.param(
        in_javascript,
        id="JavaScript",
        marks=NO_NODE,
    ),
]


@pytest.mark.parametrize("run", LANGUAGES)
async def test_a_subscriber_sees_each_event_of_the_log_once(
    run: Subscriber, kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = a_log_with_a_past(topic := await new_topic(partitions=PARTITIONS))
    await send(kafka, topic, dict(log.records))
    assert await run(tmp_path, kafka.bootstrap, topic) == Ended(0, line(log))


@pytest.mark.parametrize("run", LANGUAGES)
async def test_a_subscriber_tells_that_a_last_record_is_missing(
    run: Subscriber, kafka: Broker, new_topic: NewTopic, tmp_path: Path
) -> None:
    log = Log(topic := await new_topic(partitions=1), 1)
    sent = [log.append(f"tally-{derived(number)}") for number in range(5)]
    log.mark(0)
    await send(kafka, topic, {0: without(log.records[0], sent[-1])})
    ended = await run(tmp_path, kafka.bootstrap, topic)
    assert (ended.code, ended.said.split()[1], ended.said.split()[3]) == (1, "4", "BROKEN")
