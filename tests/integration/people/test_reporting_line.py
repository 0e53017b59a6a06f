"""Who reports to whom: any depth, and no cycle that the feed shows for a moment keeps a query from ending."""

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.identifiers import derived
from shared.people.population import places
from shared.people.projection import apply
from shared.people.reporting_line import (
    Relation,
    direct_reports,
    people_below,
    people_directly_below,
    relations,
    relations_to_each,
    reporting_line,
    reports_to,
)
from shared.people.table import PEOPLE
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import LEFT, change

CHIEF, HEAD, LEAD, MAKER, STRANGER = (
    PersonId(derived("person", name)) for name in ("chief", "head", "lead", "maker", "stranger")
)
COMPANY = [change(CHIEF, team=None), change(HEAD, CHIEF, team=None), change(LEAD, HEAD, team=None), change(MAKER, LEAD)]


async def test_everybody_reports_to_all_the_managers_above_them(connection: AsyncConnection) -> None:
    await apply(connection, COMPANY)
    assert await reporting_line(connection, MAKER) == [LEAD, HEAD, CHIEF]
    assert await reports_to(connection, MAKER, CHIEF)
    assert not await reports_to(connection, CHIEF, MAKER)
    assert not await reports_to(connection, MAKER, MAKER)


async def test_nobody_is_above_a_person_whom_the_feed_does_not_know(connection: AsyncConnection) -> None:
    await apply(connection, COMPANY)
    assert await reporting_line(connection, STRANGER) == []
    assert not await reports_to(connection, STRANGER, CHIEF)


async def test_a_manager_whose_record_is_still_to_come_is_above_already(connection: AsyncConnection) -> None:
    await apply(connection, [change(MAKER, LEAD)])
    assert await reporting_line(connection, MAKER) == [LEAD]
    assert await reports_to(connection, MAKER, LEAD)


async def test_a_cycle_ends_the_walk_and_then_heals(connection: AsyncConnection) -> None:
    await apply(connection, [*COMPANY, change(CHIEF, MAKER, revision=2)])
    assert await reporting_line(connection, MAKER) == [LEAD, HEAD, CHIEF]
    assert await reporting_line(connection, CHIEF) == [MAKER, LEAD, HEAD]
    await apply(connection, [change(MAKER, None, revision=2)])
    assert await reporting_line(connection, CHIEF) == [MAKER]


DIRECT, FURTHER_UP = {Relation.REPORTING_LINE, Relation.MANAGER}, {Relation.REPORTING_LINE, Relation.SKIP_LEVEL}


async def test_relations_are_self_the_manager_one_further_up_or_none(connection: AsyncConnection) -> None:
    await apply(connection, COMPANY)
    assert await relations(connection, caller=MAKER, person=MAKER) == {Relation.SELF}
    assert await relations(connection, caller=LEAD, person=MAKER) == DIRECT
    assert await relations(connection, caller=CHIEF, person=MAKER) == FURTHER_UP
    assert await relations(connection, caller=MAKER, person=CHIEF) == set()
    assert await relations(connection, caller=STRANGER, person=MAKER) == set()


async def test_the_team_are_those_of_the_same_team_and_those_who_report_to_the_person(
    connection: AsyncConnection,
) -> None:
    sales, none = {"team": "Sales"}, {"team": None}
    people = [change(CHIEF, **none), change(LEAD, CHIEF, **sales), change(MAKER, LEAD, **sales), change(HEAD, **none)]
    await apply(connection, people)
    assert await relations(connection, caller=MAKER, person=LEAD) == {Relation.TEAM}
    assert await relations(connection, caller=LEAD, person=MAKER) == {*DIRECT, Relation.TEAM}
    assert await relations(connection, caller=LEAD, person=CHIEF) == {Relation.TEAM}
    assert await relations(connection, caller=MAKER, person=CHIEF) == set()
    assert await relations(connection, caller=MAKER, person=CHIEF, team="Sales") == {Relation.TEAM}
    assert await relations(connection, caller=HEAD, person=CHIEF) == set()


async def test_a_manager_who_left_is_nobodys_manager_but_keeps_the_line_together(connection: AsyncConnection) -> None:
    left = {"team": None, "status": LEFT, "left_on": date(2024, 6, 30)}
    await apply(connection, [*COMPANY, change(LEAD, HEAD, revision=2, **left)])
    assert await relations(connection, caller=LEAD, person=MAKER) == set()
    assert await relations(connection, caller=HEAD, person=MAKER) == DIRECT
    assert await relations(connection, caller=CHIEF, person=MAKER) == FURTHER_UP
    assert set(await connection.scalars(people_directly_below(HEAD))) == {LEAD, MAKER}
    assert set(await connection.scalars(people_directly_below(CHIEF))) == {HEAD}


async def test_the_people_below_are_those_whose_reporting_line_the_manager_is_in(connection: AsyncConnection) -> None:
    async def below(manager: PersonId) -> set[PersonId]:
        return {PersonId(person) for person in await connection.scalars(people_below(manager))}

    await apply(connection, COMPANY)
    assert await below(CHIEF) == {HEAD, LEAD, MAKER}
    assert await below(LEAD) == {MAKER}
    assert await below(MAKER) == set()
    await apply(connection, [change(CHIEF, MAKER, revision=2)])
    assert await below(CHIEF) == {HEAD, LEAD, MAKER}
    await apply(connection, [change(HEAD, CHIEF, revision=2, status=LEFT, left_on=date(2024, 6, 30))])
    assert await below(HEAD) == set()
    assert await below(CHIEF) == {HEAD, LEAD, MAKER}


async def test_direct_reports_are_one_step_down_without_leavers(connection: AsyncConnection) -> None:
    await apply(connection, [*COMPANY, change(STRANGER, HEAD, status=LEFT)])
    assert await direct_reports(connection, HEAD) == [LEAD]


async def test_the_population_of_a_day_is_who_was_employed_on_it(connection: AsyncConnection) -> None:
    leaver = change(LEAD, HEAD, status=LEFT, left_on=date(2024, 6, 30))
    undated = change(STRANGER, HEAD, status=LEFT)
    await apply(connection, [change(CHIEF), change(HEAD, CHIEF, hired_on=date(2024, 7, 1)), leaver, undated])

    async def on(day: date) -> set[PersonId]:
        return {person.person for person in await places(connection, on=day)}

    assert await on(date(2019, 12, 31)) == set()
    assert await on(date(2024, 6, 30)) == {CHIEF, LEAD}
    assert await on(date(2024, 7, 1)) == {CHIEF, HEAD}


SIX = [PersonId(derived("person", number)) for number in range(6)]


def walked(managers: list[int | None], start: int) -> list[int]:
    above: list[int] = []
    current = managers[start]
    while current is not None and current != start and current not in above:
        above.append(current)
        current = managers[current]
    return above


somebody = st.tuples(st.none() | st.integers(0, 5), st.sampled_from([None, "Sales", "Support"]), st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(somebody, min_size=6, max_size=6))
async def test_relations_to_many_are_those_to_each(
    connection: AsyncConnection, people: list[tuple[int | None, str | None, bool]]
) -> None:
    async with connection.begin_nested() as savepoint:
        known = [
            change(SIX[n], None if manager is None else SIX[manager], team=team, **({"status": LEFT} if left else {}))
            for n, (manager, team, left) in enumerate(people)
        ]
        await apply(connection, known)
        asked = [(person, team) for person in (*SIX, STRANGER) for team in (None, "Sales")]
        for caller in (*SIX, STRANGER):
            expected = {
                (person, team): await relations(connection, caller=caller, person=person, team=team)
                for person, team in asked
            }
            assert await relations_to_each(connection, caller, asked) == expected
            for below in (people_below, people_directly_below):
                everybody = set(await connection.scalars(below(caller)))
                among = select(PEOPLE.c.person).where(PEOPLE.c.team == "Sales")
                few = set(await connection.scalars(among))
                assert set(await connection.scalars(below(caller, among=among))) == everybody & few
        await savepoint.rollback()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(managers=st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=6, max_size=6))
async def test_any_graph_is_walked_as_by_hand(connection: AsyncConnection, managers: list[int | None]) -> None:
    async with connection.begin_nested() as savepoint:
        await apply(connection, [change(SIX[n], None if m is None else SIX[m]) for n, m in enumerate(managers)])
        for start in range(6):
            above = [SIX[n] for n in walked(managers, start)]
            assert await reporting_line(connection, SIX[start]) == above
            answers = [await reports_to(connection, SIX[start], other) for other in SIX]
            assert answers == [other in above for other in SIX]
        await savepoint.rollback()
