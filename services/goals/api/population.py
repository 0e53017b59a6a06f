"""The population of an assignment: whom a filter finds, and who is named though they are not employed."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.domain.goal_assignment import PopulationBody
from shared.people.population import employed
from shared.people.reporting_line import people_below, people_directly_below
from shared.people.table import PEOPLE
from shared.schemas.goal_assignments import Population
from shared.schemas.identifiers import PersonId


async def select_population(engine: AsyncEngine, wanted: Population, *, on: date) -> Mapping[PersonId, bool]:
    """Those of whom all holds that is said, in key order, each with whether they are employed on that day.

    Who is not is found only by name: then somebody expects a result.
    """
    query = select(PEOPLE.c.person).where(employed(on)).order_by(PEOPLE.c.person)
    if wanted.teams:
        query = query.where(PEOPLE.c.team.in_(wanted.teams))
    if wanted.countries:
        query = query.where(PEOPLE.c.country.in_(wanted.countries))
    if (manager := wanted.reports_of) is not None:
        query = query.where(
            PEOPLE.c.person.in_((people_below if wanted.whole_line else people_directly_below)(manager))
        )
    if wanted.people:
        query = query.where(PEOPLE.c.person == any_(bindparam("people", list(wanted.people), type_=ARRAY(Uuid))))
    everybody_here = select(PEOPLE.c.person).where(employed(on))
    async with engine.connect() as connection:
        found = [PersonId(person) for person in await connection.scalars(query)]
        here = set(await connection.scalars(everybody_here)) if wanted.people else set[PersonId]()
    gone = [person for person in wanted.people if person not in here]
    return dict(sorted({**dict.fromkeys(found, True), **dict.fromkeys(gone, False)}.items()))


def below(manager: PersonId, wanted: PopulationBody) -> PopulationBody:
    """The population as far as it is below the manager; who reports to somebody there is there, too."""
    if wanted.reports_of is not None:
        return wanted
    return wanted.model_copy(update={"reports_of": manager, "whole_line": True})


async def not_below(connection: AsyncConnection, manager: PersonId, wanted: PopulationBody) -> tuple[PersonId, ...]:
    """Of whom the population names those who are not below the manager; `reports_of` may be the manager, too."""
    others = () if wanted.reports_of in (None, manager) else (wanted.reports_of,)
    named = tuple(dict.fromkeys([*wanted.people, *others]))
    theirs = select(PEOPLE.c.person).where(PEOPLE.c.person.in_(named), PEOPLE.c.person.in_(people_below(manager)))
    found = set(await connection.scalars(theirs)) if named else set[PersonId]()
    return tuple(person for person in named if person not in found)
