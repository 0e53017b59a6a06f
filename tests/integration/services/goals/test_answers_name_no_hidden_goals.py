"""No answer to a question names a goal that its reader may not see: present or past, each place counts it instead."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.goals.api import hidden_goals
from shared.runtime.api import declared_routes
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.conftest import ALICE, BOB, EVE, HUGO, Company
from tests.integration.services.goals.test_refusals_name_no_hidden_goals import MERGED, NEXT_YEAR, YEAR, done

TEAM = {"level": "team", "team": "Support"}
TO_EVE = {"owner": str(EVE), "reason": "changed-teams"}
THEN = {"as_of": "2999-01-01T00:00:00Z"}
WHY = {"reason": "we know more now"}
_A_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def moved_to(client: httpx.AsyncClient, path: str, body: Any) -> str:
    """The id that the answer's `Location` ends with."""
    answer = await client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.headers["Location"].rsplit("/", 1)[1]


async def tied_goals(company: Company) -> tuple[str, str]:
    """A goal of Hugo's that everybody sees, and Eve's, which it has every tie to; Hanna, HR, made them."""
    hanna = company.hanna
    eves = await company.goal(hanna, EVE, metric=None)
    tied = await company.goal(hanna, HUGO, **TEAM, contributes_to=[eves], **YEAR)
    await done(hanna, f"/goals/{tied}/contributions", {"contributes_to": []})
    await done(hanna, f"/goals/{tied}/align", {"parent": eves})
    await done(hanna, f"/goals/{tied}/align", {"parent": eves, "weight": "2"})
    await done(hanna, f"/goals/{tied}/align", {"parent": None})
    await done(hanna, f"/goals/{tied}/contributions", {"contributes_to": [eves]})
    below = await company.goal(hanna, HUGO, **TEAM, metric=None, parent=eves, **YEAR)
    await company.goal(hanna, HUGO, **TEAM, parent=below, **YEAR)
    after = await company.goal(hanna, ALICE, **YEAR, visibility="everyone")
    goes_on = await moved_to(hanna, f"/goals/{after}/carry-over", NEXT_YEAR)
    await done(hanna, f"/goals/{goes_on}/hand-over", TO_EVE)
    await done(hanna, f"/goals/{goes_on}/visibility", {"visibility": None})
    before = await company.goal(hanna, ALICE, **YEAR)
    came = await moved_to(hanna, f"/goals/{before}/carry-over", NEXT_YEAR)
    await done(hanna, f"/goals/{came}/visibility", {"visibility": "everyone"})
    await done(hanna, f"/goals/{before}/hand-over", TO_EVE)
    return tied, eves


async def plan_of_hidden_goals(company: Company) -> str:
    """Alice's plan, amended: Clara, above her manager, may read it and sees one goal of it."""
    close = {"visibility": "owner-and-manager"}
    seen, hidden, leaves, moves = [
        await company.goal(company.alice, ALICE, **visibility) for visibility in ({}, close, close, close)
    ]
    goals = [{"goal": goal} for goal in (seen, hidden, leaves, moves)]
    plan = (await done(company.alice, "/plans/drafts", {"owner": str(ALICE), "goals": goals, **YEAR}))["id"]
    await done(company.alice, "/plans", {"owner": str(ALICE), "goals": goals, **YEAR})
    await done(company.hugo, f"/plans/{plan}/agree")
    bobs = await company.goal(company.bob, BOB, metric=None, **close)
    body = WHY | {
        "goals": goals[:2],
        "changes": [{"goal": hidden, "title": "In an hour"}],
        "cancellations": [{"goal": leaves, **MERGED, "children": "to-another-goal", "to": bobs}],
        "handovers": [{"goal": moves, "to": str(HUGO), "reason": "moved"}],
    }
    await moved_to(company.hugo, f"/plans/{plan}/amendments", body)
    return plan


def questions(company: Company, goals: list[str], plans: list[str]) -> Iterator[tuple[str, str]]:
    """Every route that is read, for every goal and plan: the route and a path."""
    for route in declared_routes(company.service.app):
        method, _, path = route.partition(" ")
        path = path.removeprefix("/goals/v1")
        named = set(re.findall(r"{(\w+)}", path))
        if method != "GET" or not named <= {"goal", "plan"}:
            continue
        for one in goals if "goal" in named else plans if "plan" in named else [""]:
            yield route, path.format(goal=one, plan=one)


async def visible(reader: httpx.AsyncClient, goals: list[str]) -> set[str]:
    return {goal for goal in goals if (await reader.get(f"/goals/{goal}")).status_code == 200}


async def leaks(company: Company) -> set[str]:
    """The routes that name to somebody a goal which they may not see; to Alice nothing of her plan is hidden."""
    await company.settled()
    engine = company.service.runtime.engine
    async with engine.connect() as connection:
        goals = [str(one) for one in (await connection.exec_driver_sql("select goal from goal_tree")).scalars()]
        plans = [str(one) for one in (await connection.exec_driver_sql("select plan from goal_plans")).scalars()]
    asked, found = list(questions(company, goals, plans)), set[str]()
    for reader in (company.clara, company.hugo, company.bob, company.eve):
        sees = await visible(reader, goals)
        for route, path in asked:
            for query in ({}, THEN, {"owner": str(ALICE)}):
                answer = await reader.get(path, params=query)
                if answer.status_code == 200 and set(_A_UUID.findall(answer.text)) & (set(goals) - sees):
                    found.add(route)
    return found


async def everything(company: Company) -> None:
    await tied_goals(company)
    await plan_of_hidden_goals(company)


async def test_no_answer_names_a_goal_that_its_reader_may_not_see(company: Company) -> None:
    await everything(company)
    assert await leaks(company) == set()


async def test_without_the_count_the_same_questions_find_each_place(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def seen(_: object, __: object, goals: set[GoalId]) -> set[GoalId]:
        return set(goals)

    monkeypatch.setattr(hidden_goals, "seen_among", seen)
    await everything(company)
    assert await leaks(company) == {
        f"GET /goals/v1/{path}"
        for path in (
            "goals",
            "goals/{goal}",
            "goals/{goal}/history",
            "goals/{goal}/profile",
            "plans",
            "plans/{plan}",
            "plans/{plan}/steps",
        )
    }


async def asked(reader: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await reader.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("query", [{}, THEN], ids=["now", "then"])
async def test_a_hidden_parent_is_counted(company: Company, query: dict[str, str]) -> None:
    _, eves = await tied_goals(company)
    await company.settled()
    listed = (await asked(company.bob, "/goals", team="Support", **query))["items"]
    above = {goal["id"]: (goal["parent"], goal["parent_hidden"]) for goal in listed}
    middle = next(goal for goal, parent in above.items() if parent == (None, 1))
    assert sorted(map(str, above.values())) == sorted(map(str, [(None, 0), (None, 1), (middle, 0)]))
    shown = await asked(company.bob, f"/goals/{middle}", **query)
    assert (shown["parent"], shown["parent_hidden"]) == (None, 1)
    shown = await asked(company.eve, f"/goals/{middle}", **query)
    assert (shown["parent"], shown["parent_hidden"]) == (eves, 0)
    assert (await asked(company.bob, "/goals", parent=eves, **query))["items"] == []
    assert [goal["id"] for goal in (await asked(company.eve, "/goals", parent=eves, **query))["items"]] == [middle]


async def test_what_a_goal_is_tied_to_is_counted_in_its_profile(company: Company) -> None:
    tied, eves = await tied_goals(company)
    await company.settled()
    shown = await asked(company.bob, f"/goals/{tied}/profile")
    assert (shown["contributes_to"], shown["contributes_to_hidden"]) == ([], 1)
    shown = await asked(company.eve, f"/goals/{tied}/profile")
    assert (shown["contributes_to"], shown["contributes_to_hidden"]) == ([eves], 0)


async def test_a_history_says_that_there_was_a_goal_and_not_which(company: Company) -> None:
    tied, eves = await tied_goals(company)
    await company.settled()
    told = (await asked(company.bob, f"/goals/{tied}/history"))["items"]
    assert (told[0]["said"]["contributes_to"], told[0]["said"]["contributes_to_hidden"]) == ([], 1)
    assert [fact["words"] for fact in told[2:5]] == [
        "put it under a goal that you may not see",
        "let it weigh 2 under a goal that you may not see",
        "took it from under a goal that you may not see",
    ]
    assert (told[2]["said"]["parent"], told[2]["said"]["parent_hidden"]) == (None, 1)
    assert (await asked(company.eve, f"/goals/{tied}/history"))["items"][2]["words"] == f"put it under {eves}"


async def test_a_plan_counts_the_hidden_goals_for_its_readers_and_names_them_to_its_owner(company: Company) -> None:
    plan = await plan_of_hidden_goals(company)
    await company.settled()
    shown, listed = await asked(company.clara, f"/plans/{plan}"), await asked(company.clara, "/plans", owner=str(ALICE))
    for view in (shown, *listed["items"]):
        assert ([weight["weight"] for weight in view["weights"]], view["weights_hidden"]) == (["25.00"], 3)
        assert (view["total"], view["lost"], view["lost_hidden"]) == ("100.00", [], 0)
    own = await asked(company.alice, f"/plans/{plan}")
    assert (len(own["weights"]), own["weights_hidden"]) == (4, 0)
    amended = (await asked(company.clara, f"/plans/{plan}/steps"))["items"][-1]
    said = amended["said"]
    counts = {name: said[f"{name}_hidden"] for name in ("weights", "seen", "changes", "cancellations", "handovers")}
    assert counts == {"weights": 1, "seen": 1, "changes": 1, "cancellations": 1, "handovers": 1}
    assert (len(amended["goals"]), amended["goals_hidden"]) == (1, 1)
    by_owner = (await asked(company.alice, f"/plans/{plan}/steps"))["items"][-1]
    assert len(by_owner["said"]["weights"]) == 2
    assert UUID(by_owner["said"]["cancellations"][0]["to"])
