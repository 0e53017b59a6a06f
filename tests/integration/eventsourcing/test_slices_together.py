"""What comes of several partitions at once is one transaction; where that fails, each partition is by itself again."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.walk import Part
from tests.integration.eventsourcing.records import Log
from tests.integration.eventsourcing.tally import TYPES, apply, kernel_engine, scalar, tally_projection
from tests.servers.databases import Database

TOPIC = "tally.events"
STREAMS = [f"tally-{name}" for name in "abcdefgh"]


def arrived(log: Log, events: int = 24) -> list[Part]:
    for n in range(events):
        log.append(STREAMS[n % len(STREAMS)])
    return [Part(TOPIC, partition, records) for partition, records in sorted(log.records.items())]


async def reader_on(database: Database, calls: list[int]) -> tuple[AsyncEngine, Reader]:
    async def counting(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        calls.append(len(events))
        await apply(connection, events)

    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    return engine, Reader(engine, TYPES, Projector(replace(tally_projection(TOPIC), apply=counting)))


async def test_partitions_that_come_together_are_applied_in_one_transaction(database: Database) -> None:
    calls: list[int] = []
    engine, reader = await reader_on(database, calls)
    parts = arrived(Log(TOPIC))
    assert len(parts) == 3
    progress = await reader.process_together(parts)
    assert progress is not None
    assert [one.next_offset for one in progress] == [len(part.records) for part in parts]
    assert calls == [24]
    assert await scalar(engine, "select count(distinct xmin::text) from checkpoints where position > 0") == 1
    assert await scalar(engine, "select sum(disorder)::bigint from tallies") == 0
    again = await reader.process_together(parts)
    assert again is not None
    assert all(one.repeated for one in again)
    assert calls == [24]
    assert await scalar(engine, "select count(*) from applied") == 24
    await engine.dispose()


async def test_poison_in_one_partition_applies_nothing_together_and_parks_one_record_apart(database: Database) -> None:
    calls: list[int] = []
    engine, reader = await reader_on(database, calls)
    parts = arrived(log := Log(TOPIC))
    poisoned = [replace(log.records[1][0], value=b"{}"), *log.records[1][1:]]
    parts[1] = replace(parts[1], records=poisoned)
    with pytest.raises(ValueError, match="step"):
        await reader.process_together(parts)
    assert await scalar(engine, "select count(*) from applied") == 0
    for part in parts:
        await reader.process(part.topic, part.partition, part.records)
    stream = len([record for record in parts[1].records if record.headers[4] == poisoned[0].headers[4]])
    assert await scalar(engine, "select count(*) from dead_letters") == stream
    assert await scalar(engine, "select count(*) from dead_letters where culprit") == 1
    assert await scalar(engine, "select count(*) from applied") == 24 - stream
    await engine.dispose()


async def test_a_partition_that_is_stopped_holds_up_none_that_comes_with_it(database: Database) -> None:
    calls: list[int] = []
    engine, reader = await reader_on(database, calls)
    parts = arrived(Log(TOPIC))
    async with engine.begin() as connection:
        await connection.execute(text("update checkpoints set stopped = 'by hand' where partition = 1"))
    progress = await reader.process_together(parts)
    assert progress is not None
    assert [one.stopped for one in progress] == [False, True, False]
    assert calls == [24 - len(parts[1].records)]
    assert await scalar(engine, "select position from checkpoints where partition = 1") == 0
    await engine.dispose()


async def test_more_than_a_transaction_may_hold_is_left_to_each_partition(database: Database) -> None:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    projector = Projector(tally_projection(TOPIC))
    projector.largest_slice = 23
    reader = Reader(engine, TYPES, projector)
    assert await reader.process_together(arrived(Log(TOPIC))) is None
    assert await scalar(engine, "select count(*) from applied") == 0
    await engine.dispose()
