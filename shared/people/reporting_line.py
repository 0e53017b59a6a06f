"""Who reports to whom, at any depth; a momentary cycle in the feed (partitions overtake each other) ends the walk."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Exists,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
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
    return _named(nearest=nearest, above=above, together=together)


def _named(*, nearest: bool, above: bool, together: bool) -> set[Relation]:
    line_of = {Relation.REPORTING_LINE, Relation.MANAGER if nearest else Relation.SKIP_LEVEL} if above else set()
    return line_of | ({Relation.TEAM} if together else set())


Standing = tuple[PersonId, str | None]
"""A person, and the team that stands for their own; None: their own."""


async def relations_to_each(
    connection: AsyncConnection, caller: PersonId, standings: Collection[Standing]
) -> dict[Standing, set[Relation]]:
    """`relations`, of many at once: each line is walked upwards, however many people are below the caller."""
    found: dict[Standing, set[Relation]] = {one: {Relation.SELF} if one[0] == caller else set() for one in standings}
    others = [one for one in found if one[0] != caller]
    if not others:
        return found
    persons, teams = zip(*others, strict=True)
    asked = {"caller": caller, "persons": list(persons), "teams": list(teams)}
    for person, team, nearest, together in await connection.execute(_RELATIONS_TO_EACH, asked):
        found[person, team] = _named(nearest=bool(nearest), above=nearest is not None, together=together)
    return found


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


def people_below(manager: PersonId, *, among: Select[UUID] | None = None) -> Select[UUID]:
    """Everybody whose reporting line the manager is in, to be used inside a query; nobody, if the manager has left.

    `among` finds the few people in question: their lines are walked upwards, however many are below the manager.
    """
    if among is not None:
        return _below_among(among, manager)
    below = select(PEOPLE.c.person).where(PEOPLE.c.manager == manager).cte(recursive=True)
    below = below.union(select(PEOPLE.c.person).where(PEOPLE.c.manager == below.c.person))
    return select(below.c.person).where(below.c.person != manager, _is_here(manager))


def people_directly_below(manager: PersonId, *, among: Select[UUID] | None = None) -> Select[UUID]:
    """Those of `people_below` to whom the manager is the nearest one who has not left."""
    if among is not None:
        return _below_among(among, manager, nearest=True)
    start = select(PEOPLE.c.person, PEOPLE.c.status).where(PEOPLE.c.manager == manager)
    below = start.cte(recursive=True)
    left = below.c.status == EmploymentStatus.LEFT.value
    step = select(PEOPLE.c.person, PEOPLE.c.status).where(PEOPLE.c.manager == below.c.person, left)
    below = below.union(step)
    return select(below.c.person).where(below.c.person != manager, _is_here(manager))


def _below_among(among: Select[UUID], manager: PersonId, *, nearest: bool = False) -> Select[UUID]:
    lines = _lines_of(PEOPLE.c.person.in_(among))
    above = [lines.c.manager == manager, lines.c.of != manager, _is_here(manager)]
    return select(lines.c.of).where(*above, *([lines.c.nearest] if nearest else []))


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


def _lines_of(people: ColumnElement[bool]) -> CTE:
    """As `_line_of`, of many people at once: whose line a step belongs to is in `of`."""
    start = select(PEOPLE.c.person.label("of"), PEOPLE.c.manager, true().label("nearest")).where(people)
    lines = start.cte(recursive=True)
    still_nearest = and_(lines.c.nearest, PEOPLE.c.status == EmploymentStatus.LEFT.value)
    return lines.union(select(lines.c.of, PEOPLE.c.manager, still_nearest).where(PEOPLE.c.person == lines.c.manager))


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


def _relations_to_each() -> Select[*tuple[Any, ...]]:
    """Of each person and team: whether the caller is the nearest (null: not above at all), and of the team."""
    persons, teams = bindparam("persons", type_=ARRAY(Uuid)), bindparam("teams", type_=ARRAY(Text))
    lines = _lines_of(PEOPLE.c.person == any_(persons))
    callers = lines.c.manager == bindparam("caller", type_=Uuid)
    above = select(lines.c.of, func.bool_or(lines.c.nearest).label("nearest")).where(callers).group_by(lines.c.of)
    line, person, asking = above.subquery("above"), PEOPLE.alias("person"), PEOPLE.alias("asking")
    asked = (
        func.unnest(persons, teams).table_valued(column("person", Uuid), column("team", Text)).render_derived("asked")
    )
    here = and_(asking.c.person == bindparam("caller", type_=Uuid), asking.c.status != EmploymentStatus.LEFT.value)
    joined = asked.join(asking, here).outerjoin(person, person.c.person == asked.c.person)
    of_team = func.coalesce(asking.c.team == func.coalesce(asked.c.team, person.c.team), false())
    together = or_(of_team, func.coalesce(asking.c.manager == asked.c.person, false()))
    told = select(asked.c.person, asked.c.team, line.c.nearest, together)
    return told.select_from(joined.outerjoin(line, line.c.of == asked.c.person))


_RELATIONS: Final = _relations()
_RELATIONS_TO_EACH: Final = _relations_to_each()
