"""Who works with whom: the team of a person, as the company's system of record names it, to be used inside a query."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.sql.selectable import ScalarSelect

from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus

_ASKING: Final = PEOPLE.alias("asking")


def team_of(person: PersonId) -> ScalarSelect[Any]:
    """The person's team; null for one who is in none or has left."""
    return select(_ASKING.c.team).where(*_here(person)).scalar_subquery()


def manager_of(person: PersonId) -> ScalarSelect[Any]:
    """The person's manager; null for one who has none or has left."""
    return select(_ASKING.c.manager).where(*_here(person)).scalar_subquery()


def people_in_team_of(person: PersonId) -> Select[UUID]:
    """Everybody in the same team, the person too; nobody, if the person is in none or has left."""
    return select(PEOPLE.c.person).where(PEOPLE.c.team == team_of(person))


def _here(person: PersonId) -> tuple[ColumnElement[bool], ...]:
    return _ASKING.c.person == person, _ASKING.c.status != EmploymentStatus.LEFT.value
