"""The goal graph: no cycle arises, also not when two people re-parent at the same moment."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.projections import goal_graph
from services.goals.projections.goal_graph import GRAPH
from tests.integration.services.goals.conftest import HUGO, Company

ROUNDS = 10


async def team_goal(company: Company, parent: str | None = None) -> str:
    return await company.goal(company.hugo, HUGO, level="team", team="Support", parent=parent)


async def graph(company: Company) -> Mapping[str, str | None]:
    async with company.service.runtime.engine.connect() as connection:
        rows = await connection.execute(select(GRAPH))
    return {str(row.goal): str(row.parent) if row.parent else None for row in rows}


def in_a_cycle(graph: Mapping[str, str | None]) -> bool:
    for start in graph:
        seen, current = {start}, graph[start]
        while current is not None:
            if current in seen:
                return True
            seen.add(current)
            current = graph[current]
    return False


async def cycles(company: Company) -> int:
    """How often, of `ROUNDS`, two moves at the same moment, each allowed on its own, made a cycle.

    The goals that move are not the ones that are held unchanged: only the ancestors in between tell of each other.
    """
    found = 0
    for _ in range(ROUNDS):
        first, second = await team_goal(company), await team_goal(company)
        below_first, below_second = await team_goal(company, first), await team_goal(company, second)
        answers = await asyncio.gather(
            company.hugo.post(f"/goals/{first}/align", json={"parent": below_second}),
            company.hugo.post(f"/goals/{second}/align", json={"parent": below_first}),
        )
        made = await graph(company)
        four = {goal: made[goal] for goal in (first, second, below_first, below_second)}
        found += in_a_cycle(four)
        if not in_a_cycle(four):
            assert sorted(answer.status_code for answer in answers) == [200, 409]
        for goal in (first, second):
            await company.hugo.post(f"/goals/{goal}/cancel", json={"reason": "test-is-over"})
    return found


@pytest.fixture
def each_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the database keeps them apart."""

    def no_turn(_engine: AsyncEngine) -> nullcontext[None]:
        return nullcontext()

    monkeypatch.setattr(goal_graph, "turn", no_turn)


@pytest.mark.usefixtures("each_in_a_process_of_their_own")
async def test_two_people_who_move_goals_at_the_same_moment_make_no_cycle(company: Company) -> None:
    assert await cycles(company) == 0


@pytest.mark.usefixtures("each_in_a_process_of_their_own")
async def test_without_the_lock_they_do(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_lock(_connection: AsyncConnection) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(goal_graph, "lock", no_lock)
    assert await cycles(company) > 0


async def test_the_graph_is_rebuilt_from_the_events(company: Company) -> None:
    top = await team_goal(company)
    middle = await team_goal(company, top)
    below = await team_goal(company, top)
    await company.hugo.post(f"/goals/{below}/align", json={"parent": middle})
    await company.hugo.post(f"/goals/{middle}/align", json={"parent": None})
    before = await graph(company)
    assert before == {top: None, middle: None, below: middle}
    async with company.service.runtime.engine.begin() as connection:
        await connection.execute(GRAPH.update().values(parent=None, state="closed"))
        await goal_graph.rebuild(connection)
    assert await graph(company) == before


async def test_a_refused_move_leaves_the_graph_as_it_was(company: Company) -> None:
    top = await team_goal(company)
    below = await team_goal(company, top)
    before = await graph(company)
    assert (await company.hugo.post(f"/goals/{top}/align", json={"parent": below})).status_code == 409
    assert await graph(company) == before
