"""Each service's migrations make the tables that its queries know, and run again they change nothing."""

import asyncio
import sys
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import Connection, Table, inspect

from services.feedback.app import SERVICE as FEEDBACK
from services.goals.app import SERVICE as GOALS
from services.goals.projections.agreed_plans import PLANS
from services.goals.projections.bound_goals import BOUND
from services.goals.projections.goal_graph import CONTRIBUTIONS, GRAPH, LOCK
from services.goals.projections.taken_measurements import TAKEN
from services.reviews.app import SERVICE as REVIEWS
from services.rewards.app import SERVICE as REWARDS
from services.rewards.projections.compensation import COMPENSATION
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.timers import TimerPlanner
from shared.privacy.vault import Vault
from shared.runtime.migration import migrate, missing
from shared.runtime.service import Service
from shared.schemas.partitions import PARTITIONS
from tests.servers.databases import Database, Postgres
from tests.servers.service import MigratedDatabases

SERVICES = (FEEDBACK, GOALS, REVIEWS, REWARDS)
BESIDE_THE_READ_MODELS = {GOALS.name: (GRAPH, CONTRIBUTIONS, LOCK, TAKEN, BOUND, PLANS), REWARDS.name: (COMPENSATION,)}
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)

Shape = dict[str, tuple[dict[str, Any], dict[str, Any]]]


async def shape(database: Database, tables: Iterable[Table]) -> Shape:
    """Columns (type, nullable) and indexes (columns) of the tables as the database has them."""

    def inspect_them(connection: Connection) -> Shape:
        inspector = inspect(connection)
        return {
            table.name: (
                {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table.name)},
                {str(i["name"]): i["column_names"] for i in inspector.get_indexes(table.name)},
            )
            for table in tables
        }

    engine = create_engine(database.url)
    async with engine.connect() as connection:
        found = await connection.run_sync(inspect_them)
    await engine.dispose()
    return found


def tables_of(service: Service) -> list[Table]:
    read_models = [table for projection in service.projections for table in projection.tables]
    return [*read_models, *BESIDE_THE_READ_MODELS.get(service.name, ())]


@each_service
async def test_the_tables_are_those_that_the_queries_know_and_stay_so(
    postgres: Postgres, database: Database, service: Service
) -> None:
    tables = tables_of(service)
    migrated = await MigratedDatabases.of(service, postgres)
    once = await shape(migrated.data, tables)
    await migrate(service.name, migrated.data.url, migrated.keys.url)
    assert await shape(migrated.data, tables) == once
    await migrated.drop()

    engine = create_engine(database.url)
    async with engine.begin() as connection:
        for table in tables:
            await connection.run_sync(table.create)
    await engine.dispose()
    assert await shape(database, tables) == once


async def test_of_two_migrations_at_once_the_second_finds_everything_done(postgres: Postgres) -> None:
    data, keys = await postgres.create(), await postgres.create()
    await asyncio.gather(*(_migrated_in_a_process(GOALS, data, keys) for _ in range(2)))
    assert await shape(data, tables_of(GOALS))
    await data.drop()
    await keys.drop()


async def test_what_waits_for_a_migration_goes_on_when_it_is_through_and_after_a_newer_one(postgres: Postgres) -> None:
    data, keys = await postgres.create(), await postgres.create()
    urls = (data.url, keys.url)
    assert "alembic_version" in str(await missing(GOALS.name, *urls))
    await migrate(GOALS.name, *urls)
    assert await missing(GOALS.name, *urls) is None
    await _run(data, "update alembic_version set version_num = '0001'")
    assert "the database is at 0001, not at 00" in str(await missing(GOALS.name, *urls))
    await _run(data, "update alembic_version set version_num = '9999'")
    assert await missing(GOALS.name, *urls) is None, "a release that came after this one has been there"
    await _run(keys, "drop table data_keys")
    assert "data_keys" in str(await missing(GOALS.name, *urls))
    await data.drop()
    await keys.drop()
    assert await missing(GOALS.name, *urls) is not None


async def _run(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(statement)
    await connection.close()


async def _migrated_in_a_process(service: Service, data: Database, keys: Database) -> None:
    """As two pods of a deployment would: their only common ground is the database."""
    arguments = (service.name, data.url, keys.url)
    code = f"import asyncio; from shared.runtime.migration import migrate; asyncio.run(migrate{arguments})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


@each_service
async def test_each_reader_has_a_checkpoint_for_each_partition(postgres: Postgres, service: Service) -> None:
    migrated = await MigratedDatabases.of(service, postgres)
    engine = create_engine(migrated.data.url)
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            "select reader, topic, count(*) as checkpoints from checkpoints group by 1, 2"
        )
        found = {(row.reader, row.topic): row.checkpoints for row in rows}
    await engine.dispose()
    await migrated.drop()
    timers = [] if service.timers is None else [TimerPlanner(service.timers(ZoneInfo("UTC"), Vault(engine, bytes(32))))]
    readers = [*service.projections, *service.reactions, *timers]
    assert found == {(reader.name, topic): PARTITIONS for reader in readers for topic in reader.topics}
