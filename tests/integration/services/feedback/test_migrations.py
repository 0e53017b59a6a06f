"""The migrations make the tables that the queries know, and run again they change nothing."""

from typing import Any

import pytest
from sqlalchemy import Connection, Table, inspect

from services.feedback.app import SERVICE
from shared.eventsourcing.database import create_engine
from shared.runtime.migration import migrate
from tests.servers.databases import Database
from tests.servers.service import MigratedDatabases

READ_MODELS = [table for projection in SERVICE.projections for table in projection.tables]


async def inspected(database: Database, table: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns (type, nullable) and indexes (columns) of the table as the database has it."""

    def inspect_it(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        inspector = inspect(connection)
        columns = {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(table.name)}
        return columns, {str(i["name"]): i["column_names"] for i in inspector.get_indexes(table.name)}

    engine = create_engine(database.url)
    async with engine.connect() as connection:
        found = await connection.run_sync(inspect_it)
    await engine.dispose()
    return found


@pytest.mark.parametrize("table", READ_MODELS, ids=lambda table: table.name)
async def test_the_tables_are_those_that_the_queries_know(databases: MigratedDatabases, table: Table) -> None:
    async with databases.copied() as copies:
        found = await inspected(copies.data, table)
    made = await made_by_sqlalchemy(databases, table)
    assert found == made


async def made_by_sqlalchemy(databases: MigratedDatabases, table: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table as its definition in the projection would make it."""
    empty = await databases.data.server.create()
    engine = create_engine(empty.url)
    async with engine.begin() as connection:
        await connection.run_sync(table.create)
    await engine.dispose()
    found = await inspected(empty, table)
    await empty.drop()
    return found


async def test_migrating_again_changes_nothing(databases: MigratedDatabases) -> None:
    async with databases.copied() as copies:
        before = [await inspected(copies.data, table) for table in READ_MODELS]
        await migrate(SERVICE.name, copies.data.url, copies.keys.url)
        assert [await inspected(copies.data, table) for table in READ_MODELS] == before
