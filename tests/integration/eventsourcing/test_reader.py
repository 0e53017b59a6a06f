"""Reading by the chain on a real PostgreSQL: once each, in order, whatever is repeated, missing or poisoned."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.checkpoints import Checkpoint, CheckpointMissing, read_all
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.walk import Record, Walk, walk
from shared.schemas.envelope import Envelope, from_headers
from tests.integration.eventsourcing.records import FakeRecord, Log, without
from tests.integration.eventsourcing.tally import (
    TYPES,
    Counted,
    apply,
    kernel_engine,
    scalar,
    start_over,
    tally_projection,
)
from tests.servers.databases import Database

TOPIC = "tally.events"


async def reader_on(
    database: Database, projection: Projection | None = None, **options: Any
) -> tuple[AsyncEngine, Reader]:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=3)
    return engine, Reader(engine, TYPES, Projector(projection or tally_projection(TOPIC)), **options)


async def applied(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("select position from applied order by position"))).scalars())


async def feed(reader: Reader, records: Sequence[FakeRecord], *, size: int = 4) -> None:
    for start in range(0, len(records), size):
        part = records[start : start + size]
        await reader.process(TOPIC, part[0].partition, part)


def follow_offsets(checkpoint: Checkpoint, records: Sequence[Record]) -> Walk:
    """Negative control: trust offsets, as consumers without a chain do."""
    path = Walk(checkpoint.log_id, checkpoint.position, checkpoint.next_offset)
    for record in records:
        envelope = from_headers(record.headers)
        if record.offset >= path.next_offset and isinstance(envelope, Envelope):
            path.fresh.append((record, envelope))
            path.position = envelope.position
            path.next_offset = record.offset + 1
    return path


async def test_repeated_records_are_applied_once(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(6)]
    for record in records[2:]:
        log.again(record)
    await feed(reader, log.records[log.of("tally-a")])
    assert await applied(engine) == [1, 2, 3, 4, 5, 6]
    assert await scalar(engine, "select total from tallies") == 6
    await engine.dispose()


async def test_a_hole_is_not_applied_over_and_heals_when_the_relay_sends_again(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(6)]
    torn = without(records, records[2], records[3])
    progress = await reader.process(TOPIC, torn[0].partition, torn)
    assert progress.hole
    assert (progress.position, await applied(engine)) == (2, [1, 2])
    sent_again = [replace(r, offset=len(torn) + n) for n, r in enumerate(records[2:])]
    progress = await reader.process(TOPIC, torn[0].partition, sent_again)
    assert not progress.hole
    assert await applied(engine) == [1, 2, 3, 4, 5, 6]
    await engine.dispose()


@pytest.mark.parametrize("chained", [True, False])
async def test_a_reader_without_the_chain_misses_a_hole_and_applies_a_repeat_twice(
    database: Database, *, chained: bool
) -> None:
    """Negative control: offsets prove nothing, neither that a record is new nor that none is missing before it."""
    engine, reader = await reader_on(database, follow=walk if chained else follow_offsets)
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(10)]
    arrived = without(records, records[3], records[4])
    arrived += [replace(records[n], offset=8 + n) for n in range(3)]
    await feed(reader, arrived)
    got = await applied(engine)
    lost, doubled = len({4, 5} - set(got)), len(got) - len(set(got))
    silent = not (await reader.process(TOPIC, arrived[0].partition, arrived[5:])).hole
    print(f"chained={chained}: doubled {doubled}, applied after a hole {len(set(got) - {1, 2, 3})}, silent {silent}")
    if chained:
        assert (doubled, set(got), silent) == (0, {1, 2, 3}, False)
    else:
        assert (doubled, lost, silent) == (3, 2, True)
    await engine.dispose()


async def test_a_log_mark_reveals_a_lost_last_record(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(3)]
    partition = records[0].partition
    assert not (await reader.process(TOPIC, partition, records[:2])).hole
    mark = replace(log.mark(partition), offset=2)
    assert (await reader.process(TOPIC, partition, [mark])).hole
    assert not (await reader.process(TOPIC, partition, [replace(records[2], offset=3)])).hole
    await engine.dispose()


async def test_a_record_of_a_younger_log_stops_the_partition_until_it_starts_over(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    old = [log.append("tally-a") for _ in range(3)]
    partition = old[0].partition
    await reader.process(TOPIC, partition, old)
    forked = Log(TOPIC, log_id=UUID("01900000-0000-7000-8000-000000000002"))
    young = [replace(forked.append("tally-a", Counted(step=10)), offset=3 + n) for n in range(2)]
    assert (await reader.process(TOPIC, partition, young)).stopped
    assert (await reader.process(TOPIC, partition, young)).stopped
    stopped = next(c for c in await read_all(engine, "tally_totals") if c.partition == partition)
    assert "log forked" in (stopped.stopped or "")
    await start_over(engine)
    await reader.process(TOPIC, partition, [*old, *young])
    assert await scalar(engine, "select total from tallies") == 20
    await engine.dispose()


async def test_a_bad_header_parks_one_record_and_not_its_batch(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    log.append("tally-a")
    partition = log.of("tally-a")
    log.put(partition, [("ce_type", b"\xff\xfe")], b"not ours")
    log.append("tally-a")
    progress = await reader.process(TOPIC, partition, log.records[partition])
    assert (progress.next_offset, await applied(engine)) == (3, [1, 2])
    assert await scalar(engine, "select count(*) from dead_letters") == 1
    await reader.process(TOPIC, partition, log.records[partition])
    assert await scalar(engine, "select count(*) from dead_letters") == 1
    await engine.dispose()


async def test_a_poisoned_event_parks_its_stream_in_order_and_other_streams_go_on(database: Database) -> None:
    async def fragile(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        if any(isinstance(e.event, Counted) and e.event.step == 13 for e in events):
            raise ValueError("13 is not to be counted")
        await apply(connection, events)

    engine, reader = await reader_on(database, replace(tally_projection(TOPIC), apply=fragile))
    log = Log(TOPIC, partitions=1)
    for step in (1, 13, 2):
        log.append("tally-a", Counted(step=step))
        log.append("tally-b", Counted(step=1 if step == 13 else step))
    progress = await reader.process(TOPIC, 0, log.records[0])
    assert (progress.position, await applied(engine)) == (6, [1, 2, 4, 6])
    async with engine.connect() as connection:
        rows = (await connection.execute(text('select stream, "offset", message from dead_letters order by id'))).all()
    assert [(r.stream, r.offset) for r in rows] == [("tally-a", 2), ("tally-a", 4)]
    assert "13 is not to be counted" in rows[0].message
    assert "earlier event" in rows[1].message
    await engine.dispose()


async def test_too_many_dead_letters_stop_the_partition(database: Database) -> None:
    async def poisoned(_connection: AsyncConnection, _events: Sequence[Recorded]) -> None:
        raise ValueError("nothing can be applied")

    engine, reader = await reader_on(database, replace(tally_projection(TOPIC), apply=poisoned), cap=3)
    log = Log(TOPIC, partitions=1)
    for n in range(5):
        log.append(f"tally-{n}")
    assert (await reader.process(TOPIC, 0, log.records[0])).stopped
    await engine.dispose()


async def test_a_database_that_is_down_is_no_poison(database: Database) -> None:
    async def down(_connection: AsyncConnection, _events: Sequence[Recorded]) -> None:
        raise ConnectionResetError("the database went away")

    engine, reader = await reader_on(database, replace(tally_projection(TOPIC), apply=down))
    log = Log(TOPIC)
    with pytest.raises(ConnectionResetError):
        await reader.process(TOPIC, log.of("tally-a"), [log.append("tally-a")])
    assert await scalar(engine, "select count(*) from dead_letters") == 0
    assert await scalar(engine, "select max(position) from checkpoints") == 0
    await engine.dispose()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("fence", [True, False])
async def test_without_the_lock_on_the_checkpoint_row_two_owners_apply_a_slice_twice(
    database: Database, *, fence: bool, known: bool
) -> None:
    """Negative control: after a rebalance the old owner is still in the middle of a slice that the new one gets too.

    Who knows where the checkpoint stands does not lock it first, but moves it.
    """
    in_slice = asyncio.Event()

    async def slow(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        in_slice.set()
        await asyncio.sleep(0.2)
        await apply(connection, events)

    projection = replace(tally_projection(TOPIC), apply=slow)
    engine, old_owner = await reader_on(database, projection, fence=fence)
    new_owner = Reader(engine, TYPES, Projector(projection), fence=fence)
    log = Log(TOPIC)
    earlier = [log.append("tally-a")]
    for owner in (old_owner, new_owner) if known else (old_owner,):
        await owner.process(TOPIC, earlier[0].partition, earlier)
    in_slice.clear()
    records = [log.append("tally-a") for _ in range(4)]
    first = asyncio.create_task(old_owner.process(TOPIC, records[0].partition, records))
    await in_slice.wait()
    await asyncio.gather(first, new_owner.process(TOPIC, records[0].partition, records))
    doubled = len(await applied(engine)) - 5
    print(f"fence={fence}, known={known}: {doubled} of 4 events applied twice")
    assert doubled == (0 if fence else 4)
    await engine.dispose()


async def test_an_unknown_event_type_is_counted_and_passed_over(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    record = log.append("tally-a")
    partition = record.partition
    strange = [(n, b"trellis.tally.Unheard.v9" if n == "ce_type" else v) for n, v in record.headers]
    await reader.process(TOPIC, partition, [replace(record, headers=strange), replace(log.append("tally-a"), offset=1)])
    assert (reader.counts.unknown, await applied(engine)) == (1, [2])
    await engine.dispose()


async def test_a_field_that_this_release_does_not_know_is_counted_and_its_event_applied(database: Database) -> None:
    engine, reader = await reader_on(database)
    record = Log(TOPIC).append("tally-a")
    newer = replace(record, value=json.dumps(json.loads(record.value or b"") | {"why": "because"}).encode())
    await reader.process(TOPIC, record.partition, [newer])
    assert (reader.counts.unknown_fields, reader.counts.unknown_members) == (1, 0)
    assert await applied(engine) == [1]
    await engine.dispose()


async def test_a_reader_that_was_not_told_where_to_start_applies_nothing(database: Database) -> None:
    """What is fetched before a reader that starts now has found its start is older than that start."""
    engine, reader = await reader_on(database)
    async with engine.begin() as connection:
        await connection.execute(text("update checkpoints set position = -1, next_offset = -1"))
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(4)]
    with pytest.raises(CheckpointMissing):
        await reader.process(TOPIC, records[0].partition, records)
    assert await applied(engine) == []
    await engine.dispose()


async def test_the_next_offset_never_passes_a_record_that_was_left_because_of_a_hole(database: Database) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC)
    records = [log.append("tally-a") for _ in range(4)]
    partition = records[0].partition
    await reader.process(TOPIC, partition, records[:2])
    after_the_hole = replace(records[3], offset=2)
    assert (await reader.process(TOPIC, partition, [after_the_hole])).hole
    repeated = await reader.process(TOPIC, partition, [replace(records[1], offset=3)])
    assert repeated.next_offset == 2
    await engine.dispose()
