"""A rebuild is killed, its log forks, its code is of another version: it goes on, follows, or says so."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing import build_acts, checkpoints
from shared.eventsourcing.administration import fork_log
from shared.eventsourcing.build_acts import Refused
from shared.eventsourcing.builds import Build
from shared.eventsourcing.meeting import NotNow
from shared.eventsourcing.switch import switch
from shared.schemas.identifiers import SYSTEM
from tests.conftest import NewTopic
from tests.integration.eventsourcing.rebuilding import Tallies, tallies
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import SOMEBODY, scalar
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def test_a_rebuild_that_is_killed_goes_on_where_it_was(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """The worker is a process of its own, and gets SIGKILL in the middle."""
    topic = await new_topic(partitions=12)
    async with tallies(database, kafka, topic) as tally:
        await asyncio.gather(*(tally.write(40, streams=40) for _ in range(5)))
        await tally.all_applied(200)
        begun = await build_acts.request(tally.engine, tally.projection, by=SOMEBODY, require_equal=True)
        arguments = [database.url, kafka.bootstrap, tally.kafka.assignment, topic]
        program = [sys.executable, "-m", "tests.integration.eventsourcing.rebuilding", *arguments]
        worker = await asyncio.create_subprocess_exec(*program)

        async def in_the_middle() -> bool:
            return 20 < await tally.applied(begun.name) < 180

        await until(in_the_middle, what="the middle of the rebuild")
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
        before = await rows_with_transactions(tally.engine, begun.name)
        assert 0 < len(before) < 200
        async with tally.worker():
            await until(lambda: tally.serves(begun.build), seconds=60, what="another worker ended what was begun")
        assert before <= await rows_with_transactions(tally.engine, "public")
        await tally.all_applied(200)
        comparison = (await tally.builds()).serving.comparison
        assert comparison is not None
        assert comparison["equal"]


async def rows_with_transactions(engine: AsyncEngine, schema: str) -> set[tuple[int, str]]:
    """Each position applied, and the transaction that did it: rows written again have another."""
    async with engine.connect() as connection:
        rows = await connection.execute(text(f'select position, xmin::text from "{schema}".applied'))  # noqa: S608 - ours
        return {(row[0], row[1]) for row in rows}


async def test_after_forks_in_a_row_one_rebuild_follows_the_youngest_log(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        await tally.write(60)
        await tally.all_applied(60)
        await fork_log(tally.engine, actor=SOMEBODY, reason="restored from a backup")
        await until(lambda: _published(tally.engine, 60), what="published again")
        async with tally.worker():
            await fork_log(tally.engine, actor=SOMEBODY, reason="restored from an older backup")
            serving = await tally.rebuilt()  # not even published when it is asked for
            assert await tally.applied() == 60
            assert serving.comparison is not None
            assert len(serving.comparison["not_comparable"]) == 12
            await tally.write(20)
            await tally.all_applied(80)


async def test_a_fork_in_the_middle_of_a_rebuild_is_followed_too(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        await tally.write(60)
        await tally.all_applied(60)
        async with _filled(tally, 60):
            await fork_log(tally.engine, actor=SOMEBODY, reason="restored from a backup")
            await until(lambda: _published(tally.engine, 60), what="published again")
            await build_acts.accept(tally.engine, tally.projection, by=SOMEBODY)
            await until(lambda: tally.serves(2), what="the build serves")
            await tally.write(20)
            await tally.all_applied(80)


async def test_a_build_that_has_stopped_does_not_take_over(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """As when the log forks between the last look at the build and the switch."""
    topic = await new_topic(partitions=12)
    async with tallies(database, kafka, topic) as tally:
        await tally.write(60)
        await tally.all_applied(60)
        async with _filled(tally, 60) as begun:
            pass
        async with tally.engine.begin() as connection:
            checkpoint = await checkpoints.lock(connection, begun.name, topic, 3)
            await checkpoints.stop(connection, begun.name, checkpoint, "log forked")
        with pytest.raises(NotNow, match=f"the build stopped at {topic}/3: log forked"):
            await switch(tally.engine, tally.projection, begun, patience=1)
        assert await tally.serves(1)


@asynccontextmanager
async def _filled(tally: Tallies, events: int) -> AsyncGenerator[Build]:
    """A build that has read everything, kept from the switch, and the worker that fills it as long as the block."""
    begun = await build_acts.request(tally.engine, tally.projection, by=SOMEBODY, require_equal=True)
    async with tally.engine.begin() as connection:
        await connection.execute(text("delete from tallies"))  # what serves is not equal to it

    async def read_all() -> bool:
        return await tally.applied(begun.name) == events

    async with tally.worker():
        await until(read_all, what="the log is read")
        yield begun


async def _published(engine: AsyncEngine, events: int) -> bool:
    return await scalar(engine, "select position from log") >= events


async def test_a_newer_version_of_the_code_is_built_beside_the_old_when_a_worker_starts(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        await tally.write(60)
        async with tally.worker():
            await tally.all_applied(60)
        newer = replace(tally.projection, version=2)
        async with tally.worker(newer):
            await until(lambda: tally.serves(2), what="the newer version serves")
            serving = (await tally.builds()).serving
            assert (serving.version, serving.requested_by) == (2, SYSTEM)
            with pytest.raises(Refused) as refusal:
                await build_acts.roll_back(tally.engine, newer, by=SOMEBODY)
            assert refusal.value.rule == "version-differs"
            await tally.write(5)

            async def superseded() -> bool:
                return "serves rows of version 2" in (tally.live.last_error or "")

            await until(superseded, what="the old code touches the new rows no more")
            assert await tally.applied() == 60
        async with tally.worker():  # the older release is deployed again
            await build_acts.roll_back(tally.engine, tally.projection, by=SOMEBODY)
            await until(lambda: tally.serves(1), what="the older version serves")
        await tally.all_applied(65)
