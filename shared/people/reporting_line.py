"""Who reports to whom, at any depth; a momentary cycle in the feed (partitions overtake each other) ends the walk."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    Exists,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus


class Relation(StrEnum):
    """What a caller is to a person."""

    SELF = "self"
    REPORTING_LINE = "reporting-line"
    MANAGER = "manager"
    """In the reporting line, and the nearest there who has not left."""
    SKIP_LEVEL = "skip-level"
    """In the reporting line, further up."""
    TEAM = "team"
    """Works in the same team, or reports to the person."""


async def relations(
    connection: AsyncConnection, *, caller: PersonId, person: PersonId, team: str | None = None
) -> set[Relation]:
    """What the caller is to the person; `team` stands for the person's own. Who has left is nothing to anybody."""
    if caller == person:
        return {Relation.SELF}
    asked = {"caller": caller, "person": person, "team": team}
    if (found := (await connection.execute(_RELATIONS, asked)).one_or_none()) is None:
        return set()
    nearest, above, together = found
    line_of = {Relation.REPORTING_LINE, Relation.MANAGER if nearest else Relation.SKIP_LEVEL} if above else set()
    return line_of | ({Relation.TEAM} if together else set())


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


async def managers(connection: AsyncConnection, person: PersonId) -> list[PersonId]:
    """The managers above a person who have not left, the nearest first."""
    above = await reporting_line(connection, person)
    query = select(PEOPLE.c.person).where(PEOPLE.c.person.in_(above), PEOPLE.c.status == EmploymentStatus.LEFT.value)
    left = set(await connection.scalars(query)) if above else set[UUID]()
    return [manager for manager in above if manager not in left]


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
    below = select(PEOPLE.c.person).where(PEOPLE.c.manager == manager).cte(recursive=True)
    below = below.union(select(PEOPLE.c.person).where(PEOPLE.c.manager == below.c.person))
    return select(below.c.person).where(below.c.person != manager, _is_here(manager))


def people_directly_below(manager: PersonId) -> Select[UUID]:
    """Those of `people_below` to whom the manager is the nearest one who has not left."""
    start = select(PEOPLE.c.person, PEOPLE.c.status).where(PEOPLE.c.manager == manager)
    below = start.cte(recursive=True)
    left = below.c.status == EmploymentStatus.LEFT.value
    step = select(PEOPLE.c.person, PEOPLE.c.status).where(PEOPLE.c.manager == below.c.person, left)
    below = below.union(step)
    return select(below.c.person).where(below.c.person != manager, _is_here(manager))


def _is_here(person: PersonId) -> Exists:
    caller = PEOPLE.alias("caller")
    return exists().where(caller.c.person == person, caller.c.status != EmploymentStatus.LEFT.value)


def _line_of(person: PersonId | BindParameter[Any]) -> CTE:
    """Each step (person, manager) from a person upwards, and whether the manager is the nearest who has not left.

    UNION drops what was seen, so that a cycle ends.
    """
    start = select(PEOPLE.c.person, PEOPLE.c.manager, true().label("nearest")).where(PEOPLE.c.person == person)
    line = start.cte("line", recursive=True)
    still_nearest = and_(line.c.nearest, PEOPLE.c.status == EmploymentStatus.LEFT.value)
    step = select(PEOPLE.c.person, PEOPLE.c.manager, still_nearest).where(PEOPLE.c.person == line.c.manager)
    return line.union(step)


def _relations() -> Select[bool, bool, bool]:
    """Whether the caller is the manager, in the line, and of the team: made once, since every request asks it."""
    caller, person = bindparam("caller", type_=Uuid), bindparam("person", type_=Uuid)
    line, asking = _line_of(person), PEOPLE.alias("asking")
    persons_own = select(PEOPLE.c.team).where(PEOPLE.c.person == person).scalar_subquery()
    theirs = func.coalesce(bindparam("team", type_=Text), persons_own)
    return select(
        exists().where(line.c.manager == caller, line.c.nearest),
        exists().where(line.c.manager == caller),
        or_(func.coalesce(asking.c.team == theirs, false()), asking.c.manager == person),
    ).where(asking.c.person == caller, asking.c.status != EmploymentStatus.LEFT.value)


_RELATIONS: Final = _relations()
