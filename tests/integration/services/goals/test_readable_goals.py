"""Which goals a reader sees, which of them were asked for, and page by page."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.api.goal_access import reader
from services.goals.projections.goal_readers import Reader
from services.goals.projections.goal_rows import GoalState
from services.goals.projections.readable_goals import Filter, find, readable
from shared.people.projection import apply as apply_people
from shared.runtime.caller import Caller, Role
from shared.schemas.goals import GoalCancelled, GoalLevel, GoalSet
from shared.schemas.identifiers import GoalId, PersonId
from tests.integration.people.company import change
from tests.integration.services.goals.published import recorded
from tests.integration.services.goals.trees import deliver, history
from tests.unit.services.goals.examples import HR, MANAGER, OWNER, team_goal_set

STRANGER, ABOVE = PersonId(UUID(int=0xF)), PersonId(UUID(int=0xE))
COMPANY, TEAM, OWN, COLLEAGUES = (GoalId(UUID(int=number)) for number in range(1, 5))


def reads(person: PersonId, role: Role = Role.EMPLOYEE) -> Reader:
    """The person with this role, as the access table has it."""
    return reader(Caller.of(person, [role]))


EVERYTHING = reads(HR, Role.HR)


def goal_set(level: GoalLevel, owner: PersonId, parent: GoalId | None) -> GoalSet:
    team = "Support" if level is GoalLevel.TEAM else None
    return team_goal_set.model_copy(update={"level": level, "owner": owner, "parent": parent, "team": team})


@pytest.fixture(autouse=True)
async def goals(engine: AsyncEngine) -> None:
    await deliver(
        engine,
        [
            *history(COMPANY, goal_set(GoalLevel.ORGANIZATION, HR, None)),
            *history(TEAM, goal_set(GoalLevel.TEAM, MANAGER, COMPANY)),
            *history(OWN, goal_set(GoalLevel.PERSON, OWNER, TEAM)),
            *history(COLLEAGUES, goal_set(GoalLevel.PERSON, STRANGER, TEAM)),
        ],
    )
    async with engine.begin() as connection:
        await apply_people(
            connection, [change(ABOVE), change(MANAGER, ABOVE), change(OWNER, MANAGER), change(STRANGER)]
        )


async def seen(
    engine: AsyncEngine, reader: Reader, wanted: Filter | None = None, *, after: GoalId | None = None, limit: int = 10
) -> list[GoalId]:
    async with engine.connect() as connection:
        found = await readable(
            connection, reader, wanted or Filter(), after=None if after is None else (after,), limit=limit
        )
    return [row.goal for row in found]


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (reads(OWNER), [COMPANY, TEAM, OWN]),
        (reads(MANAGER, Role.MANAGER), [COMPANY, TEAM, OWN]),
        (reads(ABOVE, Role.MANAGER), [COMPANY, TEAM, OWN]),
        (reads(MANAGER), [COMPANY, TEAM]),
        (reads(STRANGER, Role.MANAGER), [COMPANY, TEAM, COLLEAGUES]),
        (reads(HR, Role.HR), [COMPANY, TEAM, OWN, COLLEAGUES]),
        (reads(OWNER, Role.PAYROLL), []),
    ],
)
async def test_a_persons_goals_are_seen_by_that_person_the_managers_above_and_who_reads_everything(
    engine: AsyncEngine, reader: Reader, expected: list[GoalId]
) -> None:
    assert await seen(engine, reader) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(owner=OWNER), [OWN]),
        (Filter(level=GoalLevel.PERSON), [OWN, COLLEAGUES]),
        (Filter(parent=TEAM), [OWN, COLLEAGUES]),
        (Filter(roots=True), [COMPANY]),
        (Filter(state=GoalState.CANCELLED), []),
        (Filter(owner=OWNER, level=GoalLevel.TEAM), []),
    ],
)
async def test_goals_are_filtered(engine: AsyncEngine, wanted: Filter, expected: list[GoalId]) -> None:
    assert await seen(engine, EVERYTHING, wanted) == expected


async def test_closed_goals_are_filtered_by_their_state(engine: AsyncEngine) -> None:
    await deliver(engine, [recorded(GoalCancelled(reason="merged"), stream=OWN, version=2)])
    assert await seen(engine, reads(OWNER), Filter(state=GoalState.CANCELLED)) == [OWN]


async def test_goals_are_read_page_by_page(engine: AsyncEngine) -> None:
    assert await seen(engine, EVERYTHING, limit=3) == [COMPANY, TEAM, OWN]
    assert await seen(engine, EVERYTHING, after=OWN, limit=3) == [COLLEAGUES]


async def test_one_goal_is_found_by_its_id(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await find(connection, TEAM)
        assert found is not None
        assert found.owner == MANAGER
        assert await find(connection, GoalId(UUID(int=99))) is None
