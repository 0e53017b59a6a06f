"""Bulk writes: what is written row by row is there row by row, whatever the columns hold."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing import bulk
from shared.eventsourcing.database import create_engine
from tests.servers.databases import Database

THINGS = Table(
    "things",
    MetaData(),
    Column("place", Integer, primary_key=True),
    Column("thing", Uuid, primary_key=True),
    Column("name", Text),
    Column("size", Numeric),
    Column("whole", Boolean),
    Column("day", Date),
    Column("at", DateTime(timezone=True)),
    Column("parts", JSONB(none_as_null=True)),
    Column("words", ARRAY(Text)),
    Column("owners", ARRAY(Uuid)),
)


def thing(number: int, **columns: Any) -> dict[str, Any]:
    full = {"name": f"thing {number}", "size": Decimal("1.50"), "whole": True, "day": date(2026, 3, 2)}
    rest = {"at": datetime(2026, 3, 2, 9, tzinfo=UTC), "parts": {"of": [number]}}
    rest |= {"words": ["one", "two"], "owners": [UUID(int=7)]}
    return {"place": 1, "thing": UUID(int=number), **full, **rest, **columns}


@pytest.fixture
async def connection(database: Database) -> AsyncGenerator[AsyncConnection]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(THINGS.metadata.create_all)
        yield connection
        await connection.rollback()
    await engine.dispose()


async def held(connection: AsyncConnection) -> list[dict[str, Any]]:
    rows = await connection.execute(select(THINGS).order_by(THINGS.c.place, THINGS.c.thing))
    return [dict(row) for row in rows.mappings()]


@pytest.mark.parametrize("parts", [None, [], [1, 2], [[1], [2]], [{"a": None}], {}, "text", 1, False])
async def test_whatever_a_json_column_holds_is_one_value(connection: AsyncConnection, parts: Any) -> None:
    rows = [thing(1, parts=parts), thing(2), thing(3, parts=parts)]
    await bulk.add(connection, THINGS, rows)
    assert await held(connection) == rows


@pytest.mark.parametrize("words", [[], [""], ["a,b", "{c}", 'd"e', "f\\g", " h ", "null"], [None, "None", "NULL"]])
async def test_an_array_is_what_it_was_whatever_its_items_hold(
    connection: AsyncConnection, words: list[str | None]
) -> None:
    rows = [thing(1, words=words, owners=[None]), thing(2, words=[], owners=[UUID(int=1), UUID(int=2)])]
    await bulk.add(connection, THINGS, rows)
    assert await held(connection) == rows


async def test_nulls_and_the_written_form_of_numbers_stay(connection: AsyncConnection) -> None:
    nothing = dict.fromkeys(("name", "size", "whole", "day", "at", "parts", "words", "owners"))
    rows = [thing(1, **nothing), thing(2, size=Decimal("90.000"), name='{a,"b"}')]
    await bulk.put(connection, THINGS, rows)
    assert await held(connection) == rows
    assert str((await held(connection))[1]["size"]) == "90.000"


async def test_rows_with_a_key_that_is_there_are_replaced(connection: AsyncConnection) -> None:
    await bulk.put(connection, THINGS, [thing(1), thing(2)])
    await bulk.put(connection, THINGS, [thing(2, name="other", parts=[2]), thing(3)])
    assert await held(connection) == [thing(1), thing(2, name="other", parts=[2]), thing(3)]


async def test_adding_a_key_that_is_there_fails(connection: AsyncConnection) -> None:
    await bulk.add(connection, THINGS, [thing(1)])
    with pytest.raises(IntegrityError):
        async with connection.begin_nested():
            await bulk.add(connection, THINGS, [thing(2), thing(1)])
    assert await held(connection) == [thing(1)]


async def test_a_change_sets_its_columns_alone_and_adds_no_row(connection: AsyncConnection) -> None:
    await bulk.add(connection, THINGS, [thing(1), thing(2)])
    change = {"place": 1, "name": "changed", "size": None}
    await bulk.change(connection, THINGS, [{**change, "thing": UUID(int=2)}, {**change, "thing": UUID(int=3)}])
    assert await held(connection) == [thing(1), thing(2, name="changed", size=None)]


async def test_no_rows_are_no_statement(connection: AsyncConnection) -> None:
    for write in (bulk.add, bulk.put, bulk.change):
        await write(connection, THINGS, [])
    assert await held(connection) == []
