"""Applies the people feed to the table `people`: the latest revision counts, a tombstone removes."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from shared.schemas.people import PersonRecord

Change: TypeAlias = tuple[PersonId, PersonRecord | None]
"""A record of the feed; None is a tombstone: the person is forgotten."""

_COLUMNS: Final = tuple(column.name for column in PEOPLE.columns)
_ROWS_PER_STATEMENT: Final = 1000
"""Keeps a statement below PostgreSQL's 65,535 parameters."""


async def apply(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Bring the table to what these records say; an older or equal revision changes nothing.

    Rows are written in key order, so that two slices at once cannot wait for each other.
    """
    forgotten, latest = _reduce(changes)
    if forgotten:
        await connection.execute(delete(PEOPLE).where(PEOPLE.c.person.in_(forgotten)))
    rows = iter([_row(latest[person]) for person in sorted(latest)])
    while chunk := list(islice(rows, _ROWS_PER_STATEMENT)):
        await _upsert(connection, chunk)


def _reduce(changes: Iterable[Change]) -> tuple[list[PersonId], Mapping[PersonId, PersonRecord]]:
    """Who was forgotten in between, and each one's highest revision since."""
    forgotten: set[PersonId] = set()
    latest: dict[PersonId, PersonRecord] = {}
    for person, record in changes:
        if record is None:
            forgotten.add(person)
            latest.pop(person, None)
        elif person not in latest or record.revision > latest[person].revision:
            latest[person] = record
    return sorted(forgotten), latest


def _row(record: PersonRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _COLUMNS} | {"status": record.status.value}


async def _upsert(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    statement = insert(PEOPLE).values(rows)
    new = statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[PEOPLE.c.person],
            set_={name: new[name] for name in _COLUMNS if name != "person"},
            where=new.revision > PEOPLE.c.revision,
        )
    )
