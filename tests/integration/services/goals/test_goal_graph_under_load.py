"""The goal graph under load: 32 people move goals at random while progress is recorded, and no cycle ever arises.

`TRELLIS_MOVES=5000` runs it for longer.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy import NullPool, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.goals.projections import goal_graph
from services.goals.projections.goal_graph import CONTRIBUTIONS, GRAPH
from tests.integration.services.goals.conftest import HUGO, Company

WRITERS: Final = 32
RECORDERS: Final = 2
GOALS: Final = 40
MOVES: Final = int(os.environ.get("TRELLIS_MOVES", "500"))
FIRST_DAY: Final = date(2026, 1, 1)
REFUSALS: Final = {
    "goal-graph-must-be-acyclic",
    "child-dates-must-lie-inside-parent",
    "parent-dates-must-hold-its-children",
    "goal-must-be-linked-once",
}


@dataclass(slots=True)
class Load:
    """What the writers and recorders did so far, and what a reader of the graph saw meanwhile.

    `crowded`: nobody takes turns, so that all connections may be in use for long; whoever is told so asks again.
    """

    company: Company
    goals: list[str]
    moves: int
    crowded: bool = False
    accepted: int = 0
    refused: int = 0
    recorded: int = 0
    looks: int = 0
    broken: list[str] = field(default_factory=list[str])

    @property
    def over(self) -> bool:
        return self.accepted >= self.moves or self.cyclic

    @property
    def cyclic(self) -> bool:
        return any(found.startswith("cycle") for found in self.broken)

    def asks_again(self, status: int) -> bool:
        return self.crowded and status == 503


def move(random: Random, load: Load) -> tuple[str, dict[str, Any]]:
    """A goal goes somewhere: under another one, beside others, or to other dates."""
    goal = random.choice(load.goals)
    match random.choices(("align", "contributions", "dates"), (6, 3, 1))[0]:
        case "align":
            return f"/goals/{goal}/align", {"parent": random.choice([*load.goals, None])}
        case "contributions":
            return f"/goals/{goal}/contributions", {"contributes_to": random.sample(load.goals, random.randint(0, 2))}
        case _:
            starts_on = FIRST_DAY + timedelta(days=random.randint(0, 20))
            ends_on = FIRST_DAY + timedelta(days=random.randint(340, 364))
            return f"/goals/{goal}/dates", {"starts_on": str(starts_on), "ends_on": str(ends_on)}


async def write(load: Load, seed: int) -> None:
    random = Random(seed)
    while not load.over:
        path, body = move(random, load)
        answer = await load.company.hugo.post(path, json=body)
        if answer.status_code == 200:
            load.accepted += 1
            continue
        if load.asks_again(answer.status_code):
            continue
        load.refused += 1
        document = answer.json()
        assert answer.status_code == 409, answer.text
        assert document["type"].rsplit(":", 1)[1] in REFUSALS, answer.text


async def record(load: Load, seed: int) -> None:
    """Progress is never refused, whoever moves the goal at that moment."""
    random = Random(seed)
    while not load.over:
        goal, value = random.choice(load.goals), str(random.randint(0, 10))
        answer = await load.company.hugo.post(f"/goals/{goal}/progress", json={"value": value})
        if load.asks_again(answer.status_code):
            continue
        assert answer.status_code == 200, answer.text
        load.recorded += 1
        await asyncio.sleep(0.05)


async def look(load: Load) -> None:
    """A snapshot of the graph, over and over; on a connection of its own, as the others may all be in use."""
    engine = create_async_engine(load.company.service.runtime.engine.url, poolclass=NullPool)
    async with engine.connect() as connection:
        while not load.over:
            load.broken += await broken(connection)
            await connection.rollback()
            load.looks += 1
            await asyncio.sleep(0.2)


async def broken(connection: AsyncConnection) -> list[str]:
    """Goals that are above themselves over links of both kinds, and those outside their parent's dates."""
    rows = {row.goal: row for row in await connection.execute(select(GRAPH))}
    above: dict[Any, set[Any]] = {goal: {row.parent} - {None} for goal, row in rows.items()}
    for link in await connection.execute(select(CONTRIBUTIONS)):
        above[link.goal].add(link.contributes_to)
    outside = [
        f"outside: {row.goal}"
        for row in rows.values()
        if row.parent in rows
        and not rows[row.parent].starts_on <= row.starts_on <= row.ends_on <= rows[row.parent].ends_on
    ]
    return [*outside, *(f"cycle: {goal}" for goal in above if goal in reached(goal, above))]


def reached(start: Any, above: Mapping[Any, set[Any]]) -> set[Any]:
    found: set[Any] = set()
    waiting = list(above[start])
    while waiting:
        if (goal := waiting.pop()) not in found:
            found.add(goal)
            waiting.extend(above.get(goal, ()))
    return found


async def under_load(company: Company, moves: int, *, crowded: bool = False) -> Load:
    goals = [await company.goal(company.hugo, HUGO, level="team", team="Support") for _ in range(GOALS)]
    load = Load(company, goals, moves, crowded=crowded)
    writers = [write(load, seed) for seed in range(WRITERS)]
    recorders = [record(load, seed) for seed in range(RECORDERS)]
    async with asyncio.TaskGroup() as tasks:  # one that fails ends the others: they would go on beside the next test
        for work in (*writers, *recorders, look(load)):
            tasks.create_task(work)
    return load


async def stored(connection: AsyncConnection) -> list[Any]:
    nodes = await connection.execute(select(GRAPH).order_by(GRAPH.c.goal))
    links = await connection.execute(select(CONTRIBUTIONS).order_by(*CONTRIBUTIONS.c))
    return [*(tuple(row) for row in nodes), *(tuple(row) for row in links)]


async def test_32_people_who_move_goals_make_no_cycle_and_hinder_no_progress(company: Company) -> None:
    load = await under_load(company, MOVES)
    print(f"accepted {load.accepted}, refused {load.refused}, recorded {load.recorded}, looked {load.looks} times")
    async with company.service.runtime.engine.begin() as connection:
        assert [*load.broken, *await broken(connection)] == []
        before = await stored(connection)
        await goal_graph.rebuild(connection)
        assert await stored(connection) == before
    assert load.accepted >= MOVES
    assert load.refused > 0
    assert load.recorded > 0


async def test_without_the_lock_they_make_one(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_lock(_connection: AsyncConnection) -> None:
        await asyncio.sleep(0)

    def no_turn(_engine: AsyncEngine) -> nullcontext[None]:
        return nullcontext()

    monkeypatch.setattr(goal_graph, "lock", no_lock)
    monkeypatch.setattr(goal_graph, "turn", no_turn)
    load = await under_load(company, 5 * MOVES, crowded=True)
    assert load.cyclic
