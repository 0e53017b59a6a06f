"""Reports on goals over HTTP: alignment coverage, progress by team, goals at risk, stale goals; of what one may see."""

from typing import Any

import httpx

from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, EVE, HUGO, Company

YEAR = {"begins": "2026-01-01", "ends": "2026-12-31"}


async def planned(company: Company) -> dict[str, str]:
    """Alice's goal serves the organization's by the team's; Bob's hangs under nothing, and Eve's neither."""
    top = await company.goal(company.hanna, CLARA, level="organization", metric=None)
    team = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None, parent=top)
    goals = {
        "alice": await company.goal(company.hugo, ALICE, parent=team),
        "bob": await company.goal(company.hugo, BOB),
        "eve": await company.goal(company.hanna, EVE),
        "cancelled": await company.goal(company.hugo, BOB),
    }
    await company.hugo.post(f"/goals/{goals['cancelled']}/cancel", json={"reason": "merged"})
    await company.alice.post(f"/goals/{goals['alice']}/progress", json={"value": "0"})
    await company.settled()
    return goals


async def report(reader: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    answer = await reader.get("/reports/teams", params=YEAR | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(reader: httpx.AsyncClient, **asked: Any) -> list[str]:
    answer = await reader.get("/goals", params=asked)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_coverage_is_the_share_of_goals_whose_chain_ends_at_the_organization(company: Company) -> None:
    goals = await planned(company)
    told = await report(company.hanna)
    assert (told["goals"], told["aligned"], told["coverage"]) == (3, 1, "33.33")
    assert sum(team["goals"] for team in told["teams"]) == 3
    orphans = await ids(company.hanna, level="person", aligned=False, state="active")
    assert orphans == [goals["bob"], goals["eve"]]
    assert await ids(company.hanna, level="person", aligned=True) == [goals["alice"]]


async def test_who_loses_the_goal_above_is_an_orphan(company: Company) -> None:
    goals = await planned(company)
    [team] = await ids(company.hugo, level="team")
    answer = await company.hugo.post(f"/goals/{team}/cancel", json={"reason": "merged", "children": "under-none"})
    assert answer.status_code == 200, answer.text
    await company.settled()
    assert (await report(company.hanna))["aligned"] == 0
    assert goals["alice"] in await ids(company.hanna, aligned=False)


async def test_the_report_counts_what_its_reader_may_see(company: Company) -> None:
    await planned(company)
    assert [(await report(reader))["goals"] for reader in (company.hugo, company.alice, company.eve)] == [2, 1, 1]


async def test_progress_by_team_is_the_mean_of_what_was_measured_in_the_period(company: Company) -> None:
    await planned(company)
    told = await report(company.hugo)
    assert sum(team["measured"] for team in told["teams"]) == 2
    assert (await report(company.hanna, level="team"))["teams"][0]["progress"] == "100.00"
    assert (await report(company.hanna, begins="2030-01-01", ends="2030-12-31"))["teams"] == []


async def test_a_manager_finds_the_goals_at_risk_of_who_reports_to_them(company: Company) -> None:
    goals = await planned(company)
    doing = [
        await ids(company.hugo, reports="direct", health=health) for health in ("at-risk", "off-track", "on-track")
    ]
    assert sorted(goal for found in doing for goal in found) == sorted([goals["alice"], goals["bob"]])
    assert doing[2] == [goals["alice"]]
    assert await ids(company.clara, reports="direct", level="person") == []
    assert await ids(company.clara, reports="all", level="person", state="active") == [goals["alice"], goals["bob"]]


async def test_goals_that_nobody_measured_are_stale(company: Company) -> None:
    goals = await planned(company)
    assert await ids(company.hanna, stale_days=7) == [goals["bob"], goals["eve"]]
    assert await ids(company.hanna, stale_days=3660) == []


async def test_goals_are_sorted_and_read_page_by_page_in_that_order(company: Company) -> None:
    goals = await planned(company)
    wanted = [goals["bob"], goals["eve"], goals["alice"]]
    asked = {"level": "person", "state": "active", "sort": "progress", "limit": 2}
    first = (await company.hanna.get("/goals", params=asked)).json()
    rest = (await company.hanna.get("/goals", params=asked | {"cursor": first["next"]})).json()
    assert [item["id"] for page in (first, rest) for item in page["items"]] == wanted
    newest = await ids(company.hanna, level="person", state="active", sort="newest")
    assert newest == [goals["eve"], goals["bob"], goals["alice"]]
