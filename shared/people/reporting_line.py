"""Who reports to whom, at any depth; a momentary cycle in the feed (partitions overtake each other) ends the walk."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CTE, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus


class Relation(StrEnum):
    """What a caller is to a person."""

    SELF = "self"
    REPORTING_LINE = "reporting-line"


async def relations(connection: AsyncConnection, *, caller: PersonId, person: PersonId) -> set[Relation]:
    """What the caller is to the person. Who has left is nobody's manager any more; nobody is their own."""
    if caller == person:
        return {Relation.SELF}
    line = _line_of(person)
    query = select(
        exists().where(
            line.c.manager == caller,
            PEOPLE.c.person == line.c.manager,
            PEOPLE.c.status != EmploymentStatus.LEFT.value,
        )
    )
    return {Relation.REPORTING_LINE} if await connection.scalar(query) else set()


async def reports_to(connection: AsyncConnection, person: PersonId, manager: PersonId) -> bool:
    """Whether the manager is above the person, at any depth. Nobody reports to themselves."""
    if person == manager:
        return False
    line = _line_of(person)
    return bool(await connection.scalar(select(exists().where(line.c.manager == manager))))


async def reporting_line(connection: AsyncConnection, person: PersonId) -> list[PersonId]:
    """The managers above a person, the nearest first; empty for the top and for an unknown person."""
    line = _line_of(person)
    rows = await connection.execute(select(line.c.person, line.c.manager))
    manager_of = {row.person: row.manager for row in rows}
    above: list[PersonId] = []
    current = manager_of.get(person)
    while current is not None and current != person and current not in above:
        above.append(PersonId(current))
        current = manager_of.get(current)
    return above


async def direct_reports(connection: AsyncConnection, manager: PersonId) -> Sequence[PersonId]:
    """Who reports to the manager at the first step, leavers left out, in key order."""
    query = (
        select(PEOPLE.c.person)
        .where(PEOPLE.c.manager == manager, PEOPLE.c.status != EmploymentStatus.LEFT.value)
        .order_by(PEOPLE.c.person)
    )
    return [PersonId(person) for person in await connection.scalars(query)]


def people_below(manager: PersonId) -> Select[UUID]:
    """Everybody whose reporting line the manager is in, to be used inside a query; nobody, if the manager has left."""
    below = select(PEOPLE.c.person).where(PEOPLE.c.manager == manager).cte("below", recursive=True)
    below = below.union(select(PEOPLE.c.person).where(PEOPLE.c.manager == below.c.person))
    caller = PEOPLE.alias("caller")
    still_here = exists().where(caller.c.person == manager, caller.c.status != EmploymentStatus.LEFT.value)
    return select(below.c.person).where(below.c.person != manager, still_here)


def _line_of(person: PersonId) -> CTE:
    """Each step (person, manager) from a person upwards. UNION drops what was seen, so that a cycle ends."""
    start = select(PEOPLE.c.person, PEOPLE.c.manager).where(PEOPLE.c.person == person)
    line = start.cte("line", recursive=True)
    return line.union(select(PEOPLE.c.person, PEOPLE.c.manager).where(PEOPLE.c.person == line.c.manager))
