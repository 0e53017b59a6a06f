"""A poisoned stream on real servers: parked whole and alone, replayed whole or not at all, and nobody else notices."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from launcher import postgres as embedded_postgres
from launcher.brokers.broker import Broker
from shared.eventsourcing import dead_letter_lists
from shared.eventsourcing.dead_letter_lists import Act, ParkedStream
from shared.eventsourcing.dead_letters import stored_headers
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.repair import CannotBeReplayed, FailsAgain, NoDeadLetter, Repair, Replayed
from shared.schemas.identifiers import SYSTEM
from tests.conftest import NewTopic
from tests.integration.eventsourcing.records import FakeRecord, Log
from tests.integration.eventsourcing.running import kafka_of, projecting, relaying, until
from tests.integration.eventsourcing.tally import (
    TALLY,
    TYPES,
    Counted,
    apply,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    start_over,
    tally_id,
    tally_projection,
)
from tests.servers.databases import Database, Postgres

TOPIC = "tally.events"
ROWS = """select coalesce(string_agg(concat_ws(' ', tally, total, version, disorder), ', ' order by tally), '')
            from tallies"""
BEHIND = "select count(*) from chain join checkpoints p using (partition) where p.position < chain.position"


@dataclass
class Fragile:
    """A projection whose code cannot count these steps until it is mended."""

    topic: str
    broken: set[int] = field(default_factory=lambda: {13})

    @property
    def projection(self) -> Projection:
        async def fragile(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
            for e in events:
                if isinstance(e.event, Counted) and e.event.step in self.broken:
                    raise ValueError(f"{e.event.step} is not to be counted")
            await apply(connection, events)

        return replace(tally_projection(self.topic), apply=fragile)

    def reader(self, engine: AsyncEngine, **options: Any) -> Reader:
        return Reader(engine, TYPES, Projector(self.projection), **options)

    def repair(self, engine: AsyncEngine, **options: Any) -> Repair:
        """As another process has it: with a reader of its own."""
        return Repair(engine, [self.reader(engine)], **options)


async def streams(engine: AsyncEngine) -> list[ParkedStream]:
    return await dead_letter_lists.parked_streams(engine, reader=None, stream=None, after=0, limit=100)


async def acts(engine: AsyncEngine) -> list[Act]:
    return await dead_letter_lists.acts(engine, before=2**62, limit=100)


async def parked_log(database: Database, *steps: int, **options: Any) -> tuple[AsyncEngine, Fragile, Log]:
    """One stream of these steps in one partition, read."""
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=1)
    fragile, log = Fragile(TOPIC), Log(TOPIC, partitions=1)
    for step in steps:
        log.append("tally-a", Counted(step=step))
    await fragile.reader(engine, **options).process(TOPIC, 0, log.records[0])
    return engine, fragile, log


@pytest.mark.kafka
async def test_a_poisoned_stream_is_parked_and_replayed_while_all_others_go_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=12)
    engine = await kernel_engine(database, topics=(topic,))
    commands, fragile = handler(engine), Fragile(topic)

    async def work(rounds: int) -> None:
        for n in range(rounds):
            for stream in range(20):
                poison = stream == 7 and n == 2
                await commands.handle(context(), TALLY, tally_id(stream), count(13 if poison else 1))

    def lag_is(parked: int) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            stored = await scalar(engine, "select count(*) from events")
            done = await scalar(engine, "select count(distinct position) from applied")
            behind = await scalar(
                engine,
                "select count(*) from chain c join checkpoints p using (partition) where p.position < c.position",
            )
            return (stored - done, behind) == (parked, 0)

        return reached

    poisoned = f"tally-{tally_id(7)}"
    async with (
        relaying(engine, kafka_of(kafka), topic),
        projecting(engine, kafka_of(kafka), fragile.projection, group=topic),
    ):
        await work(10)
        await until(lag_is(8), what="everything but the poisoned stream's last eight applied")
        [found] = await streams(engine)
        assert (found.record.stream, found.parked, found.record.culprit) == (poisoned, 8, True)
        assert (found.record.error, found.record.message) == ("ValueError", "13 is not to be counted")
        assert 'raise ValueError(f"{e.event.step} is not to be counted")' in found.record.cause
        assert await scalar(engine, "select min(version) from tallies") == 2  # as it was before the poison
        with pytest.raises(FailsAgain):
            await fragile.repair(engine).retry(found.record.id, actor=SYSTEM)
        fragile.broken.clear()  # the code is mended
        replayed, _ = await asyncio.gather(fragile.repair(engine).retry(found.record.id, actor=SYSTEM), work(2))
        assert replayed.applied >= 8
        await until(lag_is(0), what="everything applied")
        assert await streams(engine) == []
        mended = await scalar(engine, ROWS)
        await start_over(engine)
        await until(lag_is(0), what="a clean run")
        assert await scalar(engine, ROWS) == mended
    assert await scalar(engine, "select coalesce(sum(disorder), 0)::bigint from tallies") == 0
    assert await scalar(engine, "select count(*) from applied") == 240
    assert [(a.act, a.dead_letter) for a in await acts(engine)] == [("retry", found.record.id)] * 2
    await engine.dispose()


async def test_a_retry_that_fails_further_on_changes_nothing_and_names_the_record(database: Database) -> None:
    engine, fragile, _ = await parked_log(database, 1, 13, 2, 14, 3)
    fragile.broken = {14}
    before = await scalar(engine, ROWS)
    [found] = await streams(engine)
    with pytest.raises(FailsAgain, match="14 is not to be counted") as failure:
        await fragile.repair(engine).retry(found.record.id, actor=SYSTEM)
    assert failure.value.parked.offset == 3
    assert await scalar(engine, ROWS) == before
    [found] = await streams(engine)
    assert (found.record.offset, found.parked, found.record.attempts) == (3, 4, 2)
    fragile.broken.clear()
    assert await fragile.repair(engine).retry_stream("tally_totals", "tally-a", actor=SYSTEM) == Replayed(
        "tally_totals", "tally-a", 4
    )
    assert await scalar(engine, "select total from tallies") == 33
    assert [a.outcome for a in await acts(engine)] == [
        "4 applied",
        f"nothing changed: {found.record.id} fails again, ValueError: 14 is not to be counted",
    ]
    await engine.dispose()


async def test_what_stood_behind_a_discarded_record_goes_on_by_retry(database: Database) -> None:
    engine, fragile, log = await parked_log(database, 1, 13, 2, 3)
    repair = fragile.repair(engine)
    [found] = await streams(engine)
    discarded = await repair.discard(found.record.id, reason="counted by hand", actor=SYSTEM)
    assert discarded.left == 2
    log.append("tally-a")
    await fragile.reader(engine).process(TOPIC, 0, log.records[0][4:])  # still behind them
    [left] = await streams(engine)
    assert (left.record.culprit, left.parked) == (False, 3)
    assert (await repair.retry(left.record.id, actor=SYSTEM)).applied == 3
    assert await scalar(engine, "select total from tallies") == 7
    with pytest.raises(NoDeadLetter):
        await repair.discard(found.record.id, reason="again", actor=SYSTEM)
    retried, gone = await acts(engine)
    assert (retried.act, gone.act, gone.reason) == ("retry", "discard", "counted by hand")
    assert await scalar(engine, "select count(*) from dead_letters where payload is not null") == 0
    await engine.dispose()


async def test_the_cap_counts_what_fails_and_not_what_stands_behind(database: Database) -> None:
    engine, fragile, log = await parked_log(database, 13, *[1] * 50, cap=2)
    assert await scalar(engine, "select count(*) from checkpoints where stopped is not null") == 0
    for stream in ("tally-b", "tally-c", "tally-d", "tally-e"):
        log.append(stream, Counted(step=13))
    reader = fragile.reader(engine, cap=2)
    assert (await reader.process(TOPIC, 0, log.records[0][51:])).stopped
    assert await scalar(engine, "select count(*) from checkpoints where stopped like 'too many dead letters%'") == 1
    await engine.dispose()


async def test_a_partition_that_stopped_for_too_many_goes_on_when_they_are_fewer(database: Database) -> None:
    engine, fragile, log = await parked_log(database, 13, 1, cap=0)
    log.append("tally-b")
    reader = fragile.reader(engine, cap=0)
    assert (await reader.process(TOPIC, 0, log.records[0])).stopped
    generation = await scalar(engine, "select generation from checkpoints")
    fragile.broken.clear()
    [found] = await streams(engine)
    await fragile.repair(engine, cap=0).retry(found.record.id, actor=SYSTEM)
    assert await scalar(engine, "select generation from checkpoints") == generation + 1  # the worker seeks to it
    assert not (await reader.process(TOPIC, 0, log.records[0])).stopped
    assert await scalar(engine, "select sum(total)::bigint from tallies") == 15
    await engine.dispose()


async def test_what_cannot_be_replayed_is_refused_and_nothing_changes(database: Database) -> None:
    engine, fragile, _ = await parked_log(database, 1, 13)
    fragile.broken.clear()
    repair, [found] = fragile.repair(engine), await streams(engine)
    with pytest.raises(NoDeadLetter):
        await repair.retry(found.record.id + 1, actor=SYSTEM)
    with pytest.raises(NoDeadLetter):
        await repair.retry_stream("tally_totals", "tally-z", actor=SYSTEM)
    with pytest.raises(CannotBeReplayed, match="reads no more"):
        await Repair(engine, []).retry(found.record.id, actor=SYSTEM)
    async with engine.begin() as connection:
        await connection.execute(text("update checkpoints set stopped = 'log forked: ...'"))
    with pytest.raises(CannotBeReplayed, match="is stopped: log forked"):
        await repair.retry(found.record.id, actor=SYSTEM)
    assert await streams(engine) == [found]
    assert await acts(engine) == []
    await engine.dispose()


async def test_a_malformed_record_can_be_retried_and_discarded(database: Database) -> None:
    engine, fragile, log = await parked_log(database, 1)
    log.put(0, [("ce_type", b"trellis.tally.Counted.v1")], b"{}")
    log.append("tally-a")
    await fragile.reader(engine).process(TOPIC, 0, log.records[0])
    [found] = await streams(engine)
    assert (found.record.stream, found.record.message) == (None, "header ce_id is missing")
    repair = fragile.repair(engine)
    with pytest.raises(FailsAgain, match="header ce_id is missing"):
        await repair.retry(found.record.id, actor=SYSTEM)
    assert (await repair.discard(found.record.id, reason="not ours", actor=SYSTEM)).left == 0
    assert await streams(engine) == []
    await engine.dispose()


async def test_a_malformed_record_that_can_be_read_after_all_was_applied_from_another_copy(database: Database) -> None:
    engine, fragile, log = await parked_log(database, 1, 1)
    good: FakeRecord = log.records[0][1]
    log.put(0, [("ce_type", b"\xff")], good.value)
    await fragile.reader(engine).process(TOPIC, 0, log.records[0])
    [found] = await streams(engine)
    async with engine.begin() as connection:  # the code that reads headers is mended
        readable = text("update dead_letters set headers = :headers")
        await connection.execute(readable, {"headers": stored_headers(good.headers)})
    assert (await fragile.repair(engine).retry(found.record.id, actor=SYSTEM)).applied == 0
    assert await scalar(engine, "select total from tallies") == 2
    assert await streams(engine) == []
    await engine.dispose()


@asynccontextmanager
async def postgres_of_its_own(folder: Path) -> AsyncGenerator[tuple[Database, Callable[[], Awaitable[None]]]]:
    """A database whose server a test may take away for a moment."""
    server = embedded_postgres.start(folder, durable=True)
    database = await Postgres(server.dsn()).create()

    async def away_for_a_moment() -> None:
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(embedded_postgres.start, folder, port=server.port, durable=True)

    try:
        yield database, away_for_a_moment
    finally:
        running = embedded_postgres.running(folder)
        if running is not None:
            running.stop()


@pytest.mark.kafka
async def test_nothing_is_parked_while_postgresql_is_down(
    server_folder: Path, kafka: Broker, new_topic: NewTopic
) -> None:
    topic = await new_topic(partitions=12)
    async with postgres_of_its_own(server_folder / "taken-away") as (database, away_for_a_moment):
        engine = await kernel_engine(database, topics=(topic,))
        commands = handler(engine)
        for n in range(200):
            await commands.handle(context(), TALLY, tally_id(n % 20), count())

        async def slowly(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
            await connection.execute(text("select pg_sleep(0.05)"))
            await apply(connection, events)

        async def all_applied() -> bool:
            return await scalar(engine, "select count(distinct position) from applied") == 200

        async with (
            relaying(engine, kafka_of(kafka), topic),
            projecting(
                engine, kafka_of(kafka), replace(tally_projection(topic), apply=slowly), group=topic, max_records=5
            ),
        ):

            async def under_way() -> bool:
                return await scalar(engine, "select count(*) from applied") > 20

            await until(under_way, what="under way")
            await away_for_a_moment()
            await until(all_applied, seconds=60, what="all applied after PostgreSQL came back")
        assert await scalar(engine, "select count(*) from applied") == 200
        assert await scalar(engine, "select count(*) from dead_letters") == 0
        await engine.dispose()
