"""Who is employed: one person's facts, and everybody's at a date."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, RowMapping, Uuid, and_, any_, bindparam, or_, select
from sqlalchemy import exists as sql_exists
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus

_FIND: Final = select(PEOPLE).where(PEOPLE.c.person == any_(bindparam("people", type_=ARRAY(Uuid))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a service knows of a person; `left_on` is the last day of employment, `fte` is 1 for full time."""

    person: PersonId
    revision: int
    manager: PersonId | None
    team: str | None
    legal_entity: str
    pay_group: str
    country: str
    job_title: str | None
    hired_on: date
    left_on: date | None
    fte: Decimal
    status: EmploymentStatus


class Placed(NamedTuple):
    """Who somebody reports to, and in which team: what a question over a whole company needs of each."""

    person: PersonId
    manager: PersonId | None
    team: str | None


async def exists(connection: AsyncConnection, person: PersonId) -> bool:
    """Whether the feed told of the person, leavers included."""
    return bool(await connection.scalar(select(sql_exists().where(PEOPLE.c.person == person))))


async def find(connection: AsyncConnection, person: PersonId) -> Person | None:
    """What is known of the person, leavers included."""
    return (await find_all(connection, [person])).get(person)


async def find_all(connection: AsyncConnection, people: Collection[PersonId]) -> dict[PersonId, Person]:
    """What is known of each of these people, leavers included; who is missing is unknown."""
    found = await connection.execute(_FIND, {"people": list(people)})
    return {PersonId(row["person"]): _person(row) for row in found.mappings()}


async def places(connection: AsyncConnection, *, on: date) -> list[Placed]:
    """Everybody employed on a day, in key order."""
    query = select(PEOPLE.c.person, PEOPLE.c.manager, PEOPLE.c.team).where(employed(on)).order_by(PEOPLE.c.person)
    return [Placed(*row) for row in await connection.execute(query)]


def employed(on: date) -> ColumnElement[bool]:
    """Hired by then, and not left before. Someone marked as left without a date was employed at no time we know."""
    still_here = and_(PEOPLE.c.left_on.is_(None), PEOPLE.c.status != EmploymentStatus.LEFT.value)
    return and_(PEOPLE.c.hired_on <= on, or_(still_here, PEOPLE.c.left_on >= on))


def _person(row: RowMapping) -> Person:
    values: dict[str, Any] = {**row, "status": EmploymentStatus(row["status"])}
    return Person(**values)
