"""Goals over HTTP: set, aligned, measured, closed, read by those who may, refused with a reason."""

from typing import Any
from uuid import UUID

import httpx

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active
from shared.schemas.personal_text import PersonalText
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, EVE, HUGO, OPEN, Company, goal_of

YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}


async def test_no_process_remembers_a_personal_title_in_clear(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    handler = company.service.runtime.handler
    remembered = await handler.state_once(GOAL, UUID(goal))
    handler.forget(f"goal-{goal}")
    read_again = await handler.state_once(GOAL, UUID(goal))
    assert isinstance(remembered, Active)
    assert remembered == read_again
    assert isinstance(remembered.title, PersonalText)
    assert (remembered.title.sealed, remembered.title.clear) == (True, None)


async def test_a_goal_is_set_measured_and_achieved(company: Company) -> None:
    answer = await company.alice.post("/goals", json=goal_of(ALICE))
    body = answer.json()
    assert (answer.status_code, body["version"], body["state"], answer.headers["ETag"]) == (201, 1, "active", '"1"')
    assert body["allowed_actions"] == OPEN
    assert answer.headers["Location"] == f"/goals/v1/goals/{body['id']}"

    goal = body["id"]
    recorded = await company.alice.post(f"/goals/{goal}/progress", json={"value": "7"})
    assert (recorded.status_code, recorded.json()["version"]) == (200, 2)
    seen = await company.shown(company.alice, goal)
    assert (seen["title"], seen["level"], seen["state"]) == ("Answer within a day", "person", "active")
    assert (seen["value"], seen["progress"], seen["regressed"]) == ("7", "30.00", False)

    achieved = await company.hugo.post(f"/goals/{goal}/achieve", json={"value": "0", "closed_on": "2026-11-30"})
    assert (achieved.json()["state"], achieved.json()["allowed_actions"]) == ("achieved", ["reopen", "carry-over"])
    seen = await company.shown(company.alice, goal)
    assert (seen["state"], seen["progress"], seen["closed_on"]) == ("achieved", "100.00", "2026-11-30")
    assert seen["allowed_actions"] == ["carry-over"]


async def test_a_title_in_the_store_and_the_read_model_is_sealed(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.settled()
    async with company.service.runtime.engine.connect() as connection:
        stored = (await connection.exec_driver_sql("select data from events")).scalars().all()
        shown = (await connection.exec_driver_sql("select title, sealed_title from goal_tree")).one()
    assert "Answer" not in "".join(stored)
    assert shown.title is None
    assert "Answer" not in shown.sealed_title
    assert (await company.shown(company.hugo, goal))["title"] == "Answer within a day"


async def test_an_erased_title_reads_erased_and_no_new_one_is_written(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    assert (await company.bob.post(f"/persons/{ALICE}/erase")).status_code == 403
    erased = await company.hanna.post(f"/persons/{ALICE}/erase")
    assert (erased.status_code, erased.json()["state"]) == (200, "erased")
    seen = await company.shown(company.hugo, goal)
    assert (seen["title"], seen["metric"]["target"]) == ("erased", "0")
    refused(await company.hugo.post("/goals", json=goal_of(ALICE)), 409, "rule:person-is-erased")


async def test_progress_rolls_up_from_person_to_organization(company: Company) -> None:
    top = await company.goal(
        company.hanna, CLARA, level="organization", title="Customers recommend us", metric=None, parent=None
    )
    team = await company.goal(company.hugo, HUGO, level="team", team="Support", metric=None, parent=top)
    alices = await company.goal(company.hugo, ALICE, parent=team, weight="1")
    bobs = await company.goal(company.hugo, BOB, parent=team, weight="3")
    assert (await company.shown(company.eve, top))["progress"] == "0.00"
    await company.alice.post(f"/goals/{alices}/progress", json={"value": "0"})
    await company.bob.post(f"/goals/{bobs}/progress", json={"value": "9"})
    assert (await company.shown(company.eve, top))["progress"] == "32.50"
    await company.hugo.post(f"/goals/{bobs}/cancel", json={"reason": "merged"})
    assert (await company.shown(company.eve, top))["progress"] == "100.00"

    children = (await company.hugo.get(f"/goals/{team}/children")).json()["items"]
    assert [child["id"] for child in children] == [alices, bobs]
    assert (await company.eve.get(f"/goals/{team}/children")).json()["items"] == []


async def test_a_cascade_with_a_cycle_is_refused(company: Company) -> None:
    top = await company.goal(company.hugo, HUGO, level="team", team="Support")
    middle = await company.goal(company.hugo, HUGO, level="team", team="Support", parent=top)
    below = await company.goal(company.hugo, HUGO, level="team", team="Support", parent=middle)
    document = refused(
        await company.hugo.post(f"/goals/{top}/align", json={"parent": below}), 409, "rule:goal-graph-must-be-acyclic"
    )
    assert document["values"] == {"goal": top, "parent": below, "ancestors": [middle, top]}
    refused(
        await company.hugo.post(f"/goals/{top}/align", json={"parent": top}), 409, "rule:goal-graph-must-be-acyclic"
    )
    moved = await company.hugo.post(f"/goals/{below}/align", json={"parent": None})
    assert moved.status_code == 200
    assert (await company.hugo.post(f"/goals/{top}/align", json={"parent": below})).status_code == 200


BROKEN_RULES: list[tuple[dict[str, Any], str]] = [
    ({"ends_on": "2025-12-31"}, "goal-must-not-end-before-it-starts"),
    ({"team": "Support"}, "team-goal-must-name-its-team"),
    ({"metric": {"kind": "number", "start": "5", "target": "5"}}, "metric-start-must-differ-from-target"),
    ({"parent": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}, "parent-goal-must-exist"),
]


async def test_a_broken_rule_is_named_with_what_it_saw(company: Company) -> None:
    for change, rule in BROKEN_RULES:
        document = refused(await company.alice.post("/goals", json=goal_of(ALICE) | change), 409, f"rule:{rule}")
        assert document["values"]


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"title": "a\x00b"}, "title"),
    ({"weight": 1.5}, "weight"),
    ({"metric": {"kind": "number", "target": 5}}, "metric.target"),
    ({"level": "galaxy"}, "level"),
    ({"owner": "somebody"}, "owner"),
    ({"colour": "red"}, "colour"),
]


async def test_a_malformed_request_names_its_field(company: Company) -> None:
    for change, field in MALFORMED:
        answer = await company.alice.post("/goals", json=goal_of(ALICE) | change)
        document = refused(answer, 422, "problem:invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]


async def test_a_goal_is_for_somebody_whom_the_company_knows(company: Company) -> None:
    unknown = goal_of(ALICE) | {"owner": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}
    document = refused(await company.hanna.post("/goals", json=unknown), 422, "problem:invalid-request")
    assert document["errors"][0]["message"] == "is nobody we know"


async def test_a_persons_goal_is_not_there_for_others(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.settled()
    for stranger in (company.bob, company.eve):
        refused(await stranger.get(f"/goals/{goal}"), 404, "problem:not-found")
        refused(await stranger.post(f"/goals/{goal}/progress", json={"value": "1"}), 404, "problem:not-found")
        refused(await stranger.post("/goals", json=goal_of(ALICE)), 404, "problem:not-found")
        assert (await stranger.get("/goals", params={"owner": str(ALICE)})).json()["items"] == []
    for reader in (company.alice, company.hugo, company.clara, company.hanna):
        assert (await reader.get("/goals", params={"owner": str(ALICE)})).json()["items"][0]["id"] == goal


async def test_a_goal_is_not_hung_under_one_that_the_caller_cannot_see(company: Company) -> None:
    hidden = await company.goal(company.eve, EVE)
    answer = await company.alice.post("/goals", json=goal_of(ALICE) | {"parent": hidden})
    refused(answer, 409, "rule:parent-goal-must-exist")


async def test_the_organizations_goals_are_set_by_hr_and_seen_by_all(company: Company) -> None:
    body = goal_of(CLARA) | {"level": "organization"}
    refused(await company.clara.post("/goals", json=body), 403, "problem:forbidden")
    goal = await company.goal(company.hanna, CLARA, level="organization")
    seen = await company.shown(company.clara, goal)
    assert seen["allowed_actions"] == ["set-health", "record-progress", "achieve", "miss"]
    assert (await company.shown(company.bob, goal))["allowed_actions"] == []


async def test_a_goal_that_never_was_is_not_found(company: Company) -> None:
    nowhere = "/goals/0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    refused(await company.hanna.get(nowhere), 404, "problem:not-found")
    refused(await company.hanna.post(f"{nowhere}/cancel", json={"reason": "merged"}), 404, "problem:not-found")


async def test_the_same_idempotency_key_gives_the_same_answer_and_refuses_another_request(company: Company) -> None:
    headers = {"Idempotency-Key": "set-once"}
    first = await company.alice.post("/goals", json=goal_of(ALICE), headers=headers)
    again = await company.alice.post("/goals", json=goal_of(ALICE), headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    other = await company.alice.post("/goals", json=goal_of(ALICE) | {"title": "Other"}, headers=headers)
    refused(other, 422, "problem:idempotency-key-reused")


async def test_if_match_changes_exactly_that_version(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    stale = {"If-Match": '"1"'}
    assert (await company.alice.post(f"/goals/{goal}/progress", json={"value": "8"}, headers=stale)).status_code == 200
    answer = await company.alice.post(f"/goals/{goal}/progress", json={"value": "7"}, headers=stale)
    refused(answer, 412, "problem:precondition-failed")


async def test_ones_own_goals_are_listed_page_by_page(company: Company) -> None:
    goals = [await company.goal(company.alice, ALICE, title=f"Goal {number}") for number in range(3)]
    await company.goal(company.hugo, HUGO, level="team", team="Support")
    await company.settled()
    first = (await company.alice.get("/goals", params={"mine": True, "limit": 2})).json()
    rest = (await company.alice.get("/goals", params={"mine": True, "limit": 2, "cursor": first["next"]})).json()
    assert [goal["id"] for goal in first["items"] + rest["items"]] == goals
    assert [goal["title"] for goal in rest["items"]] == ["Goal 2"]
    assert rest["next"] is None


async def test_nobody_answers_without_a_token(company: Company) -> None:
    company.eve.headers.pop("Authorization")
    answer: httpx.Response = await company.eve.get("/goals")
    refused(answer, 401, "problem:unauthorized")
