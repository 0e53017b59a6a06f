"""What means nothing to a reader moves its checkpoint in one statement, as long as nobody else has touched the row."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.build_acts import announce
from shared.eventsourcing.checkpoints import Move
from shared.eventsourcing.errors import Superseded
from shared.eventsourcing.passing import Passing
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from tests.integration.eventsourcing.records import FakeRecord, Log
from tests.integration.eventsourcing.tally import TYPES, Counted, Sealed, apply, kernel_engine, scalar, tally_projection
from tests.servers.databases import Database

TOPIC = "tally.events"
STREAM = "tally-a"


async def counted_alone(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    assert all(isinstance(recorded.event, Counted) for recorded in events), "it was given what it did not ask for"
    await apply(connection, events)


def projection() -> Projection:
    return replace(tally_projection(TOPIC), apply=counted_alone, events=(Counted,))


def reader_on(engine: AsyncEngine) -> Reader:
    return Reader(engine, TYPES, Projector(projection()))


async def standing(engine: AsyncEngine, record: FakeRecord) -> tuple[int, int]:
    (checkpoint,) = [c for c in await checkpoints.read_all(engine, "tally_totals") if c.partition == record.partition]
    return checkpoint.position, checkpoint.next_offset


async def test_events_that_it_did_not_ask_for_move_its_checkpoint_and_nothing_else(database: Database) -> None:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    reader, log = reader_on(engine), Log(TOPIC)
    records = [log.append(STREAM), *(log.append(STREAM, Sealed()) for _ in range(3)), log.append(STREAM)]
    for record in records:
        progress = await reader.process(TOPIC, record.partition, [record])
        assert (progress.position, progress.hole) == (record.offset + 1, False)
    mark = log.mark(records[0].partition)
    await reader.process(TOPIC, mark.partition, [mark])
    assert await standing(engine, mark) == (5, 6)
    assert await scalar(engine, "select total from tallies") == 2
    assert (reader.counts.applied, reader.counts.unknown) == (5, 0)
    await engine.dispose()


async def test_who_remembers_an_older_checkpoint_goes_by_the_row(database: Database) -> None:
    """After a rebalance the partition came and went: what this process left there is not what the row says."""
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    ours, theirs, log = reader_on(engine), reader_on(engine), Log(TOPIC)
    records = [log.append(STREAM), log.append(STREAM), *(log.append(STREAM, Sealed()) for _ in range(2))]
    partition = records[0].partition
    await ours.process(TOPIC, partition, records[:1])
    await theirs.process(TOPIC, partition, records[1:3])
    progress = await ours.process(TOPIC, partition, records[2:])
    assert (progress.position, progress.hole, progress.repeated) == (4, False, True)
    assert await scalar(engine, "select total from tallies") == 2
    await engine.dispose()


async def test_a_hole_is_not_passed_over(database: Database) -> None:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    reader, log = reader_on(engine), Log(TOPIC)
    records = [log.append(STREAM), log.append(STREAM), log.append(STREAM, Sealed())]
    await reader.process(TOPIC, records[0].partition, records[:1])
    progress = await reader.process(TOPIC, records[0].partition, records[2:])
    assert (progress.position, progress.hole) == (1, True)
    assert await standing(engine, records[0]) == (1, 1)
    await engine.dispose()


@pytest.mark.parametrize("change", ["generation = generation + 1", "stopped = 'by hand'"])
async def test_a_row_that_a_person_touched_is_not_passed_over_by_memory(database: Database, change: str) -> None:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    reader, log = reader_on(engine), Log(TOPIC)
    records = [log.append(STREAM), log.append(STREAM, Sealed())]
    await reader.process(TOPIC, records[0].partition, records[:1])
    async with engine.begin() as connection:
        await connection.execute(text(f"update checkpoints set {change}, position = 0, next_offset = 0"))  # noqa: S608
    progress = await reader.process(TOPIC, records[0].partition, records[1:])
    assert progress.hole or progress.stopped
    assert await standing(engine, records[0]) == (0, 0)
    await engine.dispose()


async def test_an_old_release_does_not_pass_over_what_the_new_one_asks_for(database: Database) -> None:
    """The new code reads more than the old one does; its build serves, and the old worker has not ended yet."""
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    old, log = reader_on(engine), Log(TOPIC)
    records = [log.append(STREAM), log.append(STREAM, Sealed())]
    await announce(engine, projection())
    await old.process(TOPIC, records[0].partition, records[:1])
    async with engine.begin() as connection:
        await connection.execute(text("update builds set version = 2"))
        await checkpoints.begin(connection, "tally_totals@2", like="tally_totals", topics=(TOPIC,))
        await connection.execute(
            text(
                "update checkpoints b set position = s.position, next_offset = s.next_offset, log_id = s.log_id from "
                "checkpoints s where b.reader = 'tally_totals@2' and s.reader = 'tally_totals' "
                "and s.partition = b.partition"
            )
        )
        await checkpoints.exchange(connection, "tally_totals", "tally_totals@2")
    with pytest.raises(Superseded):
        await old.process(TOPIC, records[0].partition, records[1:])
    assert await standing(engine, records[0]) == (1, 1)
    await engine.dispose()


async def test_two_partitions_of_a_reader_are_passed_over_in_one_statement(database: Database) -> None:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    passing = Passing(engine)
    starts = await checkpoints.read_all(engine, "tally_totals")
    over = (passing.over("tally_totals", [Move(start, start.log_id, 0, 7)]) for start in starts)
    assert await asyncio.gather(*over) == [True, True, True]
    assert {c.next_offset for c in await checkpoints.read_all(engine, "tally_totals")} == {7}
    assert not await passing.over("tally_totals", [Move(starts[0], starts[0].log_id, 0, 8)]), "the row has moved"
    await engine.dispose()
