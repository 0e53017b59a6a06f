"""A rebuild beside what serves: equal under writes, switched unseen, rolled back, refused where it makes no sense."""

import asyncio
import time
from collections.abc import Awaitable

import pytest
from sqlalchemy import text

from launcher.brokers.broker import Broker
from shared.eventsourcing import build_acts
from shared.eventsourcing.build_acts import Refused
from shared.eventsourcing.build_tables import shapes
from shared.eventsourcing.builds import Build
from tests.conftest import NewTopic
from tests.integration.eventsourcing.rebuilding import tallies
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import SOMEBODY, scalar
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


async def test_a_rebuild_under_writes_equals_what_serves_and_takes_its_place(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally, tally.worker():
        await tally.write(300)
        await tally.all_applied(300)
        writing = asyncio.create_task(tally.write(400))
        serving = await tally.rebuilt(require_equal=True)
        await writing
        await tally.all_applied(700)
        assert (serving.name, serving.version) == ("tally_totals@2", 1)
        assert serving.comparison is not None
        assert serving.comparison["equal"]
        assert [(t["name"], t["equal"]) for t in serving.comparison["tables"]] == [("tallies", True), ("applied", True)]
        assert 300 <= await tally.applied("tally_totals@1") <= 700


async def test_a_topic_that_only_the_release_before_reads_holds_no_rebuild_up(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally, tally.worker():
        await tally.write(20)
        await tally.all_applied(20)
        async with tally.engine.begin() as connection:
            await connection.execute(
                text(
                    "insert into checkpoints (reader, topic, partition, log_id, position, next_offset) "
                    "select reader, 'gone.events', partition, gen_random_uuid(), 7, 7 from checkpoints"
                )
            )
        assert (await tally.rebuilt()).build == 2
        await tally.all_applied(20)


async def test_a_rebuild_goes_back_and_forth_and_what_is_kept_can_be_dropped(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally, tally.worker():
        await tally.write(100)
        await tally.rebuilt()
        await tally.write(50)
        await tally.all_applied(150)
        back = await build_acts.roll_back(tally.engine, tally.projection, by=SOMEBODY)
        assert back.build == 1
        await until(lambda: tally.serves(1), what="the kept build has caught up and serves")
        await tally.all_applied(150)
        assert (await tally.rebuilt()).build == 3
        states = [(build.build, build.state) for build in (await tally.builds()).all]
        assert states == [(1, "kept"), (2, "dropped"), (3, "serving")]
        await build_acts.drop(tally.engine, tally.projection)
        await tally.write(10)
        await tally.all_applied(160)
        assert await scalar(tally.engine, "select count(*) from pg_namespace where nspname like 'tally_totals@%'") == 0
        assert await scalar(tally.engine, "select count(distinct reader) from checkpoints") == 1


async def test_queries_see_neither_an_error_nor_a_missing_row_while_builds_are_switched(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """Connections of a pool, with the statements that they have prepared."""
    stalls: list[float] = []
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally, tally.worker():
        await tally.write(120)
        await tally.all_applied(120)
        over = asyncio.Event()

        async def ask() -> None:
            while not over.is_set():
                began = time.monotonic()
                assert await scalar(tally.engine, "select count(*) from tallies where total > 0") == 30
                stalls.append(time.monotonic() - began)
                await asyncio.sleep(0.002)

        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for _ in range(3):
            await tally.rebuilt()
        over.set()
        await asyncio.gather(*asking)
    print(f"{len(stalls)} queries over 3 switches, the longest took {1000 * max(stalls):.0f} ms")
    assert len(stalls) > 100


async def test_without_sense_an_act_is_refused_and_changes_nothing(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        engine, projection = tally.engine, tally.projection

        async def refused(act: Awaitable[Build]) -> str:
            before = (await tally.builds()).all
            with pytest.raises(Refused) as refusal:
                await act
            assert (await tally.builds()).all == before
            return refusal.value.rule

        assert await refused(build_acts.roll_back(engine, projection, by=SOMEBODY)) == "nothing-is-kept"
        assert await refused(build_acts.drop(engine, projection)) == "nothing-is-kept"
        assert await refused(build_acts.cancel(engine, projection)) == "no-rebuild-is-running"
        assert await refused(build_acts.accept(engine, projection, by=SOMEBODY)) == "no-rebuild-is-running"
        await build_acts.request(engine, projection, by=SOMEBODY)
        assert await refused(build_acts.request(engine, projection, by=SOMEBODY)) == "rebuild-is-running"
        assert await refused(build_acts.roll_back(engine, projection, by=SOMEBODY)) == "rebuild-is-running"
        await build_acts.cancel(engine, projection)
        assert (await tally.builds()).all[-1].state == "cancelled"
        assert await scalar(engine, "select count(*) from pg_namespace where nspname like 'tally_totals@%'") == 0
        assert await scalar(engine, "select count(distinct reader) from checkpoints") == 1


async def test_of_many_rebuilds_asked_for_at_once_one_begins(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        await tally.builds()  # the first one is written down: nobody waits for that any more
        asked = (build_acts.request(tally.engine, tally.projection, by=SOMEBODY) for _ in range(5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, Build) for answer in answers) == 1, answers
        assert sum(isinstance(answer, Refused) for answer in answers) == 4


async def test_a_build_that_differs_waits_where_equality_was_asked_for_until_it_is_accepted(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally, tally.worker():
        await tally.write(60)
        await tally.all_applied(60)
        async with tally.engine.begin() as connection:
            await connection.execute(text("delete from tallies where tally = (select min(tally) from tallies)"))
        await build_acts.request(tally.engine, tally.projection, by=SOMEBODY, require_equal=True)

        async def waits() -> bool:
            building = (await tally.builds()).in_state("building")
            return building is not None and building.trouble is not None and "differs" in building.trouble

        await until(waits, what="it is told that it differs")
        assert await scalar(tally.engine, "select count(*) from tallies") == 29
        await build_acts.accept(tally.engine, tally.projection, by=SOMEBODY)
        await until(lambda: tally.serves(2), what="the accepted build serves")
        await tally.all_applied(60)
        comparison = (await tally.builds()).serving.comparison
        assert comparison is not None
        assert [(t["name"], t["equal"], t["rows"]) for t in comparison["tables"]] == [
            ("tallies", False, {"old": 29, "new": 30}),
            ("applied", True, {"old": 60, "new": 60}),
        ]


async def test_the_tables_of_a_build_are_made_as_those_that_serve_also_after_a_migration(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    async with tallies(database, kafka, await new_topic(partitions=12)) as tally:
        engine, tables = tally.engine, tally.projection.tables
        async with engine.begin() as connection:
            await connection.execute(text("create index tallies_by_total on tallies (total desc) where total > 1"))
            await connection.execute(text("alter table applied add constraint in_log check (position > 0)"))
            await connection.execute(text("alter table applied add column of text references tallies (tally)"))
        begun = await build_acts.request(engine, tally.projection, by=SOMEBODY)
        async with engine.begin() as connection:
            made = await shapes(connection, tables, "public")
            assert await shapes(connection, tables, begun.name) == made
            assert made["tallies"].indexes == [
                "CREATE INDEX tallies_by_total ON tallies USING btree (total DESC) WHERE total > 1"
            ]
            await connection.execute(text("alter table tallies add column last_step integer"))
            await connection.execute(text(f'drop table "{begun.name}".applied'))  # as if it had been added since
        await tally.write(30)
        async with tally.worker():
            await until(lambda: tally.serves(2), what="the build serves")
        async with engine.begin() as connection:
            serving = (await shapes(connection, tables, "public"))["tallies"]
        assert serving.columns[-1] == "last_step integer f"
