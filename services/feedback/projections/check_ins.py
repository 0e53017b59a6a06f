"""Which check-ins did these two hold, and what may each of them read of the notes?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Index,
    MetaData,
    RowMapping,
    Table,
    Text,
    Uuid,
    case,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import TOPIC, CheckInHeld
from shared.schemas.identifiers import CheckInId, GoalId, PersonId
from shared.schemas.personal_text import PersonalText

CHECK_INS: Final = Table(
    "check_ins",
    MetaData(),
    Column("check_in", Uuid, primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("manager", Uuid, nullable=False),
    Column("held_on", Date, nullable=False),
    Column("notes", Text),
    Column("shared", Boolean, nullable=False),
    Column("goals", ARRAY(Uuid), nullable=False),
    Index("check_ins_by_person", "person", "held_on", "check_in"),
    Index("check_ins_by_manager", "manager", "held_on", "check_in"),
)
_CHECK_IN: Final = CHECK_INS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableCheckIn:
    """One check-in as its reader may see it: notes that are not for them are not there."""

    check_in: CheckInId
    person: PersonId
    manager: PersonId
    held_on: date
    notes: PersonalText | None
    shared: bool
    goals: tuple[GoalId, ...]


SortKey = tuple[date, CheckInId]
"""Latest day first; the id tells those of one day apart."""


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A check-in is one stream, hence one row that no other partition touches."""
    held = [_row(record, record.event) for record in events if isinstance(record.event, CheckInHeld)]
    if held:
        await connection.execute(insert(CHECK_INS).on_conflict_do_nothing(), held)


def _row(record: Recorded, event: CheckInHeld) -> dict[str, Any]:
    return {
        "check_in": record.stream_id,
        "person": event.person,
        "manager": event.manager,
        "held_on": event.held_on,
        "notes": None if event.notes is None else event.notes.model_dump_json(),
        "shared": event.shared,
        "goals": list(event.goals),
    }


PROJECTION: Final = Projection(name="check_ins", topics=(TOPIC,), tables=(CHECK_INS,), apply=apply)


async def of_reader(
    connection: AsyncConnection, reader: PersonId, *, after: SortKey | None, limit: int
) -> list[ReadableCheckIn]:
    """The check-ins that the reader held or was in, the latest day first."""
    query = (
        select(*_readable_columns(reader))
        .where(_took_part(reader))
        .order_by(_CHECK_IN.held_on.desc(), _CHECK_IN.check_in.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(_CHECK_IN.held_on, _CHECK_IN.check_in) < tuple_(*after))
    return [_check_in(row) for row in (await connection.execute(query)).mappings()]


async def find(connection: AsyncConnection, check_in: CheckInId, *, reader: PersonId) -> ReadableCheckIn | None:
    """The check-in, if it exists and the reader took part in it."""
    query = select(*_readable_columns(reader)).where(_CHECK_IN.check_in == check_in, _took_part(reader))
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _check_in(row)


def _took_part(reader: PersonId) -> ColumnElement[bool]:
    return or_(_CHECK_IN.manager == reader, _CHECK_IN.person == reader)


def _readable_columns(reader: PersonId) -> list[ColumnElement[Any]]:
    """All columns; the notes only for the manager who wrote them, and for the person if they are shared."""
    notes = case((or_(_CHECK_IN.manager == reader, _CHECK_IN.shared), _CHECK_IN.notes)).label("notes")
    return [notes if column.name == "notes" else column for column in CHECK_INS.columns]


def _check_in(row: RowMapping) -> ReadableCheckIn:
    values: dict[str, Any] = {
        **row,
        "notes": None if row["notes"] is None else PersonalText.model_validate_json(row["notes"]),
        "goals": tuple(row["goals"]),
    }
    return ReadableCheckIn(**values)
