"""Bulk writes: many rows of a read model in one statement, which is prepared once whatever their number."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Insert,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    column,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY as PostgresArray  # noqa: N811 - its own name is taken
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]


async def add(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; each holds every column."""
    if rows:
        await connection.execute(_adding(table), _arrays(table, rows))


async def put(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those that have their primary key; each holds every column, and no key comes twice."""
    if rows:
        await connection.execute(_putting(table), _arrays(table, rows))


async def change(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Set the columns that the rows hold, all of them the same, where the primary key is theirs."""
    if rows:
        await connection.execute(_changing(table, tuple(sorted(rows[0]))), _arrays(table, rows))


@lru_cache
def _adding(table: Table) -> Insert:
    columns = list(table.columns)
    new = _new(columns)
    return insert(table).from_select([c.name for c in columns], select(*(new[c.name] for c in columns)))


@lru_cache
def _putting(table: Table) -> Insert:
    statement: Any = _adding(table)
    excluded = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=excluded)


@lru_cache
def _changing(table: Table, names: tuple[str, ...]) -> Update:
    new = _new([table.columns[name] for name in names])
    keys = list(table.primary_key.columns)
    values = {name: new[name] for name in names if not table.columns[name].primary_key}
    return update(table).where(*(key == new[key.name] for key in keys)).values(values)


def _new(columns: Sequence[Column[Any]]) -> dict[str, ColumnElement[Any]]:
    """The rows' columns: each comes as an array of one dimension, so that a list in a json column is one value.

    Arrays of arrays would be taken apart: an array comes as it is written, and is read by the database.
    """
    types = {c.name: Text() if isinstance(c.type, ARRAY) else c.type for c in columns}
    arrays = [bindparam(f"new_{name}", type_=PostgresArray(kind, dimensions=1)) for name, kind in types.items()]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in types.items()))
    new = rows.render_derived(name="new").c
    return {c.name: cast(new[c.name], c.type) if isinstance(c.type, ARRAY) else new[c.name] for c in columns}


def _arrays(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    columns = [c for c in table.columns if c.name in rows[0]]
    return {
        f"new_{c.name}": [_written(row[c.name]) if isinstance(c.type, ARRAY) else row[c.name] for row in rows]
        for c in columns
    }


def _written(items: Sequence[Any] | None) -> str | None:
    """An array of one dimension as PostgreSQL writes it."""
    if items is None:
        return None
    return "{" + ",".join("NULL" if item is None else _quoted(str(item)) for item in items) + "}"


def _quoted(item: str) -> str:
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
