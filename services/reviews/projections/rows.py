"""Rows of a read model as a slice changes them: locked in key order, changed in memory, written back at once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Column, Table, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing import bulk
from shared.eventsourcing.recorded import Recorded

Row: TypeAlias = "dict[str, Any]"
Rows: TypeAlias = "dict[UUID, Row]"


async def change_rows(
    connection: AsyncConnection, table: Table, events: Sequence[Recorded], change: Callable[[Recorded], Row]
) -> None:
    """Apply what each event changes to the row of its own stream; an empty change is none.

    The table's column `version` is the stream's at the last change, so that an event applied before changes nothing.
    """
    changes = [(recorded, changed) for recorded in events if (changed := change(recorded))]
    rows = await _locked(connection, table, [recorded.stream_id for recorded, _ in changes])
    for recorded, changed in changes:
        row = rows[recorded.stream_id]
        if recorded.version > row.get("version", 0):
            row |= {**changed, "version": recorded.version}
    await _write(connection, table, rows)


async def _locked(connection: AsyncConnection, table: Table, keys: Iterable[UUID]) -> Rows:
    """The rows with these keys; one that is not there yet is empty, with only its key."""
    key = _key(table)
    wanted = sorted(set(keys))
    given = literal(wanted, ARRAY(key.type))
    query = select(table).where(key == any_(given)).order_by(key).with_for_update()
    found = {row[key.name]: dict(row) for row in (await connection.execute(query)).mappings()}
    return {identity: found.get(identity, {key.name: identity}) for identity in wanted}


async def _write(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    """Insert or replace the rows in key order; a column that nothing was said about is null."""
    names = [column.name for column in table.columns]
    values = [{name: row.get(name) for name in names} for _, row in sorted(rows.items())]
    await bulk.put(connection, table, values)


def _key(table: Table) -> Column[Any]:
    (key,) = table.primary_key.columns
    return key
