"""Analytics on a real broker: what it tallies is what the event store holds, and the command says so."""

import asyncio
import hashlib
import os
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.analytics.reading import TopicMissing, tally
from consumers.analytics.report import lines
from launcher.brokers.broker import Broker
from shared.eventsourcing.administration import fork_log, log_status
from shared.eventsourcing.partitioning import partition_of
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, relaying, until
from tests.integration.eventsourcing.tally import SOMEBODY, TALLY, context, count, handler, kernel_engine, tally_id
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka
PARTITIONS = 12


async def publish(engine: AsyncEngine, kafka: Broker, topic: str, *, events: int) -> None:
    """So many more events, all of them published."""
    commands = handler(engine)
    for number in range(events):
        await commands.handle(context(), TALLY, tally_id(number % 10), count())
    async with relaying(engine, kafka_of(kafka), topic):
        await until(lambda: everything_published(engine), what="everything published")


async def everything_published(engine: AsyncEngine) -> bool:
    status = await log_status(engine)
    return status.published == status.stored


async def stored(engine: AsyncEngine) -> dict[int, tuple[int, str]]:
    """Count and checksum per partition, computed from the event store alone."""
    async with engine.connect() as connection:
        rows = (await connection.execute(text("select stream, event_id, data from events order by position"))).all()
    found: dict[int, tuple[int, str]] = {}
    for partition in range(PARTITIONS):
        own = [row for row in rows if partition_of(row.stream, PARTITIONS) == partition]
        digest = hashlib.sha256(b"".join(r.event_id.bytes + hashlib.sha256(r.data.encode()).digest() for r in own))
        found[partition] = (len(own), digest.hexdigest())
    return found


async def tallied(kafka: Broker, topic: str) -> dict[int, tuple[int, str]]:
    found = lines(await tally(kafka.bootstrap, chained=[topic], feeds=[]))
    assert all(line.whole for line in found), found
    return {line.partition: (line.events, line.checksum) for line in found}


async def test_what_is_tallied_is_what_the_store_holds(database: Database, kafka: Broker, new_topic: NewTopic) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=PARTITIONS)
    await publish(engine, kafka, topic, events=100)
    assert await tallied(kafka, topic) == await stored(engine)
    await publish(engine, kafka, topic, events=30)
    assert await tallied(kafka, topic) == await stored(engine)
    await engine.dispose()


async def test_a_log_that_was_forked_is_tallied_anew(database: Database, kafka: Broker, new_topic: NewTopic) -> None:
    engine, topic = await kernel_engine(database), await new_topic(partitions=PARTITIONS)
    await publish(engine, kafka, topic, events=40)
    await fork_log(engine, actor=SOMEBODY, reason="a test")
    await publish(engine, kafka, topic, events=5)
    assert await tallied(kafka, topic) == await stored(engine)
    await engine.dispose()


async def test_a_topic_that_is_not_there_is_named(kafka: Broker) -> None:
    with pytest.raises(TopicMissing, match="nowhere"):
        await tally(kafka.bootstrap, chained=["nowhere"], feeds=[])


async def analytics(*arguments: str, bootstrap: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "consumers.analytics", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "ANALYTICS_KAFKA_BOOTSTRAP": bootstrap},
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_command_says_how_it_is_called_and_what_is_not_there() -> None:
    code, said = await analytics("--xml", bootstrap="127.0.0.1:1")
    assert code == 2
    assert "usage" in said
    code, said = await analytics(bootstrap="127.0.0.1:1")
    assert code == 1
    assert "The broker at 127.0.0.1:1 does not answer" in said
