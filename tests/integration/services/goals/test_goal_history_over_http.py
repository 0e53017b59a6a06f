"""A goal's history in words over HTTP: who changed what, when and why."""

from typing import Any

import httpx

from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, HUGO, Company


async def history(company: Company, reader: httpx.AsyncClient, goal: str) -> list[dict[str, Any]]:
    await company.settled()
    answer = await reader.get(f"/goals/{goal}/history")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def changed(company: Company) -> str:
    goal = await company.goal(company.alice, ALICE)
    done = [
        await company.hugo.post(f"/goals/{goal}/title", json={"title": "Answer at once"}),
        await company.alice.post(f"/goals/{goal}/progress", json={"value": "7", "note": "two of us were ill"}),
        await company.hugo.post(f"/goals/{goal}/cancel", json={"reason": "merged", "comment": "into the team's"}),
    ]
    assert [answer.status_code for answer in done] == [200, 200, 200]
    return goal


async def test_each_change_is_told_with_who_did_it_and_why_and_both_wordings_stay(company: Company) -> None:
    told = await history(company, company.alice, await changed(company))
    assert [(fact["version"], fact["what"], fact["by"]) for fact in told] == [
        (1, "GoalSet", str(ALICE)),
        (2, "GoalRetitled", str(HUGO)),
        (3, "GoalProgressRecorded", str(ALICE)),
        (4, "GoalCancelled", str(HUGO)),
    ]
    assert told[0]["words"].startswith(
        "set the goal \u201cAnswer within a day\u201d, from 10 to 0 hours, from 2026-01-01 to 2026-12-31"
    )
    assert told[1]["words"] == "called it \u201cAnswer at once\u201d"
    assert (told[2]["words"].endswith(": 30.00 %"), told[2]["why"]) == (True, "two of us were ill")
    assert (told[3]["words"], told[3]["why"]) == ("cancelled it (merged)", "merged: into the team's")
    assert all(fact["at"] <= fact["known_at"] for fact in told)


async def test_a_history_is_read_page_by_page(company: Company) -> None:
    goal = await changed(company)
    await company.settled()
    first = (await company.alice.get(f"/goals/{goal}/history", params={"limit": 3})).json()
    rest = (await company.alice.get(f"/goals/{goal}/history", params={"limit": 3, "cursor": first["next"]})).json()
    assert [fact["version"] for page in (first, rest) for fact in page["items"]] == [1, 2, 3, 4]
    assert rest["next"] is None


async def test_an_erased_persons_words_read_erased_in_the_history(company: Company) -> None:
    goal = await changed(company)
    await company.hanna.post(f"/persons/{ALICE}/erase")
    told = await history(company, company.hugo, goal)
    text = str(told)
    assert not [said for said in ("Answer", "ill", "into the team") if said in text]
    assert (told[1]["words"], told[2]["why"]) == ("called it \u201cerased\u201d", "erased")


async def test_who_does_not_see_the_goal_sees_no_history(company: Company) -> None:
    goal = await changed(company)
    await company.settled()
    for stranger in (company.bob, company.eve):
        refused(await stranger.get(f"/goals/{goal}/history"), 404, "problem:not-found")


async def test_a_hand_over_is_told_to_the_next_owner(company: Company) -> None:
    goal = await company.goal(company.hugo, ALICE)
    await company.hugo.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "changed-teams"})
    told = await history(company, company.bob, goal)
    assert told[1]["words"] == f"handed it over from {ALICE} to {BOB}"
    assert told[1]["why"] == "changed-teams"
