"""Goals as of a past moment over HTTP: in business time, as known at another, and under today's rights."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.runtime.clock import now
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, HUGO, Company

WEEK, DAY = timedelta(days=7), timedelta(days=1)
TOMORROW = now().date() + DAY
ALL_HEALTHS = ("on-track", "at-risk", "off-track", "expired")


async def record(client: httpx.AsyncClient, goal: str, value: str, *, ago: timedelta) -> None:
    told = {"value": value, "measured_at": (now() - ago).isoformat()}
    answer = await client.post(f"/goals/{goal}/progress", json=told)
    assert answer.status_code == 200, answer.text


async def then(client: httpx.AsyncClient, path: str, **moment: Any) -> Any:
    answer = await client.get(path, params={name: at.isoformat() for name, at in moment.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_goal_and_its_parent_are_shown_as_they_stood_then(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None)
    goal = await company.goal(company.alice, ALICE, parent=top)
    was_set = now()
    await company.alice.post(f"/goals/{goal}/title", json={"title": "Answer at once"})
    await record(company.alice, goal, "5", ago=timedelta())
    measured = now()
    await record(company.alice, goal, "0", ago=timedelta())
    await company.settled()
    for path in (f"/goals/{goal}", f"/goals/{top}"):
        assert (await then(company.alice, path, as_of=was_set))["progress"] == "0.00"
        assert (await then(company.alice, path, as_of=measured))["progress"] == "50.00"
        assert (await then(company.alice, path))["progress"] == "100.00"
    past = await then(company.alice, f"/goals/{goal}", as_of=was_set)
    assert (past["title"], past["value"], past["version"], past["allowed_actions"]) == (
        "Answer within a day",
        "10",
        1,
        [],
    )
    assert (await then(company.alice, f"/goals/{goal}", as_known_at=measured))["value"] == "5"


async def test_what_was_recorded_late_is_seen_by_who_asks_today_and_not_as_it_was_known_then(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await record(company.alice, goal, "5", ago=timedelta(hours=2))
    known = now()
    await record(company.alice, goal, "2", ago=timedelta(hours=1))
    await company.settled()
    path = f"/goals/{goal}"
    assert (await then(company.alice, path, as_of=known))["value"] == "2"
    assert (await then(company.alice, path, as_of=known, as_known_at=known))["value"] == "5"


async def test_the_tree_and_the_lists_are_those_of_the_moment(company: Company) -> None:
    one, two = [await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None) for _ in range(2)]
    goal = await company.goal(company.hugo, ALICE, parent=one)
    before = now()
    await company.hugo.post(f"/goals/{goal}/align", json={"parent": two})
    await company.hugo.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "changed-teams"})
    await company.settled()

    async def ids(path: str, **moment: Any) -> list[str]:
        return [item["id"] for item in (await then(company.hugo, path, **moment))["items"]]

    assert await ids(f"/goals/{one}/children", as_of=before) == await ids(f"/goals/{two}/children") == [goal]
    assert await ids(f"/goals/{two}/children", as_of=before) == await ids(f"/goals/{one}/children") == []
    of_alice = await company.hugo.get("/goals", params={"owner": str(ALICE), "as_of": before.isoformat()})
    assert [item["id"] for item in of_alice.json()["items"]] == [goal]
    assert (await company.hugo.get("/goals", params={"owner": str(ALICE)})).json()["items"] == []


async def test_how_goals_were_doing_and_how_far_they_were_is_asked_of_the_past_too(company: Company) -> None:
    """By the day of the moment: long ago less was expected of a goal than today."""
    top = await company.goal(company.hanna, CLARA, level="organization", metric=None)
    team = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None, parent=top)
    behind = await company.goal(company.alice, ALICE, parent=team)
    ahead = await company.goal(company.alice, ALICE, ends_on="2027-12-31")
    await record(company.alice, behind, "9", ago=timedelta())
    await record(company.alice, ahead, "5", ago=timedelta())
    before = now()
    await record(company.alice, behind, "0", ago=timedelta())
    await record(company.alice, ahead, "10", ago=timedelta())
    moved = {"owner": str(BOB), "reason": "changed-teams"}
    assert (await company.hugo.post(f"/goals/{ahead}/hand-over", json=moved)).status_code == 200
    await company.hanna.post(f"/goals/{team}/align", json={"parent": None})
    await company.settled()

    async def ids(**asked: Any) -> list[str]:
        answer = await company.hanna.get("/goals", params=asked)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    then = {"as_of": before.isoformat()}
    assert await ids(health="off-track", **then) == [top, team, behind]
    assert await ids(health="on-track", **then) == [ahead]
    assert (await ids(health="on-track"), await ids(health="off-track")) == ([team, behind], [ahead])
    assert await ids(sort="progress", level="person", **then) == [behind, ahead]
    assert await ids(sort="progress", level="person") == [ahead, behind]
    assert await ids(sort="newest", **then) == [ahead, behind, team, top]
    assert await ids(sort="ends-on", level="person", **then) == [behind, ahead]
    assert await ids(aligned=True, **then) == [top, team, behind]
    assert await ids(aligned=True) == [top]
    assert await ids(stale_days=1, **then) == []
    assert await ids(health="off-track", owner=str(ALICE), **then) == [behind]
    first = (await company.hanna.get("/goals", params={"sort": "progress", "limit": 1, **then})).json()
    rest = await company.hanna.get("/goals", params={"sort": "progress", "cursor": first["next"], **then})
    assert [item["id"] for item in [*first["items"], *rest.json()["items"]]] == await ids(sort="progress", **then)


async def test_who_may_see_the_past_is_who_may_see_the_goal_today(company: Company) -> None:
    goal = await company.goal(company.hugo, ALICE)
    before = now().isoformat()
    await company.hugo.post(f"/goals/{goal}/hand-over", json={"owner": str(BOB), "reason": "changed-teams"})
    await company.settled()
    shown = await company.bob.get(f"/goals/{goal}", params={"as_of": before})
    assert (shown.status_code, shown.json()["owner"]) == (200, str(ALICE))
    refused(await company.alice.get(f"/goals/{goal}", params={"as_of": before}), 404, "problem:not-found")
    listed = await company.alice.get("/goals", params={"as_of": before, "mine": True})
    assert listed.json()["items"] == []


async def test_a_goal_that_was_not_set_yet_is_not_found_and_in_no_list(company: Company) -> None:
    before = now().isoformat()
    goal = await company.goal(company.alice, ALICE)
    await company.settled()
    refused(await company.alice.get(f"/goals/{goal}", params={"as_of": before}), 404, "problem:not-found")
    assert (await company.alice.get("/goals", params={"as_of": before})).json()["items"] == []


async def test_past_goals_are_read_page_by_page(company: Company) -> None:
    goals = [await company.goal(company.alice, ALICE) for _ in range(3)]
    await company.settled()
    asked = {"as_of": now().isoformat(), "mine": True, "limit": 2}
    first = (await company.alice.get("/goals", params=asked)).json()
    rest = (await company.alice.get("/goals", params=asked | {"cursor": first["next"]})).json()
    assert [item["id"] for page in (first, rest) for item in page["items"]] == goals
    assert rest["next"] is None


async def test_an_erased_persons_past_is_erased_too(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    before = now()
    await company.hanna.post(f"/persons/{ALICE}/erase")
    await company.settled()
    assert (await then(company.hugo, f"/goals/{goal}", as_of=before))["title"] == "erased"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"as_of": "yesterday"}, "as_of"),
    ({"as_of": "2026-13-01"}, "as_of"),
    ({"as_known_at": "2026-03-31T18:00:00"}, "as_known_at"),
    ({"as_off": "2026-03-31"}, "as_off"),
]


@pytest.mark.parametrize(("asked", "field"), WRONG)
async def test_a_moment_that_is_none_is_refused_by_name(company: Company, asked: dict[str, str], field: str) -> None:
    document = refused(await company.alice.get("/goals", params=asked), 422, "problem:invalid-request")
    assert [error["field"] for error in document["errors"]] == [field]


async def test_a_day_means_its_end_in_the_companys_zone(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.settled()
    today = now().date()
    assert (await company.alice.get(f"/goals/{goal}", params={"as_of": today.isoformat()})).status_code == 200
    yesterday = (today - timedelta(days=1)).isoformat()
    refused(await company.alice.get(f"/goals/{goal}", params={"as_of": yesterday}), 404, "problem:not-found")


async def test_the_usual_way_is_by_the_rows_of_the_present(company: Company) -> None:
    """What is known last is what is shown without a moment: of a company's goals at three levels."""
    top = await company.goal(company.hanna, CLARA, level="organization", metric=None)
    team = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None, parent=top)
    for owner, value in ((ALICE, "3"), (BOB, "6")):
        goal = await company.goal(company.hugo, owner, parent=team)
        await record(company.hugo, goal, value, ago=timedelta(minutes=5))
    await company.settled()
    present = (await company.hanna.get("/goals")).json()["items"]
    asked = {"as_known_at": (now() + WEEK).isoformat()}
    assert (await company.hanna.get("/goals", params=asked)).json()["items"] == present


async def test_how_a_goal_was_doing_then_is_judged_by_the_policy_of_then(company: Company) -> None:
    """A goal that ends tomorrow and stands where it began is some 98 points behind."""

    async def adopt(at_risk: str, off_track: str) -> None:
        options = {"health-gaps": {"at_risk": at_risk, "off_track": off_track}}
        answer = await company.hanna.post("/policies", json={"options": options, "reason": "we-learnt"})
        assert answer.status_code == 201, answer.text

    goal = await company.goal(company.alice, ALICE, starts_on=str(now().date() - 90 * DAY), ends_on=str(TOMORROW))
    by_default = now()
    await adopt("99", "100")
    lenient = now()
    await adopt("10", "100")
    await company.settled()

    async def healths(**moment: Any) -> tuple[str, list[str]]:
        shown = await then(company.alice, f"/goals/{goal}", **moment)
        told = {name: at.isoformat() for name, at in moment.items()}
        asked = [company.alice.get("/goals", params={"health": health, **told}) for health in ALL_HEALTHS]
        found = [(await one).json()["items"] for one in asked]
        listed = [(item["health"], health) for items, health in zip(found, ALL_HEALTHS, strict=True) for item in items]
        assert all(shown == asked for shown, asked in listed)
        return shown["health"], [health for health, _ in listed]

    assert await healths(as_of=by_default) == ("off-track", ["off-track"])
    assert await healths(as_of=lenient) == ("on-track", ["on-track"])
    assert await healths(as_of=now()) == await healths() == ("at-risk", ["at-risk"])
    assert await healths(as_known_at=lenient) == ("on-track", ["on-track"])
    assert await healths(as_of=now(), as_known_at=by_default) == ("off-track", ["off-track"])
