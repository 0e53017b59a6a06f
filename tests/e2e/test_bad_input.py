"""Bad input against what really runs: each is refused in words that name the rule, the field and the value."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from launcher.demo_cycle.company import Company
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.caller import Role
from shared.schemas.people import PersonRecord
from tests.e2e.installation import Installation
from tests.e2e.refusals import broken_rule, refused, wrong_field

pytestmark = pytest.mark.e2e
YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
PERCENT = {"kind": "percent", "start": "0", "target": "95", "unit": "%"}


@pytest.fixture
def company(installation: Installation) -> Company:
    return installation.company


@pytest.fixture
def somebody(company: Company) -> PersonRecord:
    """Who leads nobody."""
    return next(p for p in company.people if p.person not in company.reports and p.manager)


@pytest.fixture
def colleague(company: Company, somebody: PersonRecord) -> PersonRecord:
    """Another one who leads nobody."""
    return next(p for p in company.people if p.person not in company.reports and p.person != somebody.person)


@pytest.fixture
async def goals(installation: Installation, somebody: PersonRecord) -> AsyncIterator[httpx.AsyncClient]:
    async with installation.client("goals", somebody.person) as client:
        yield client


@pytest.fixture
async def as_hr(installation: Installation, company: Company) -> AsyncIterator[httpx.AsyncClient]:
    async with installation.client("goals", company.hr.person, Role.HR) as client:
        yield client


def own_goal(person: PersonRecord, **changed: Any) -> dict[str, Any]:
    goal = {"level": "person", "owner": str(person.person), "title": "Answer within a day", "metric": PERCENT}
    return {**goal, **YEAR, **changed}


async def accepted(client: httpx.AsyncClient, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


async def test_another_persons_goal_is_not_there(
    installation: Installation, goals: httpx.AsyncClient, somebody: PersonRecord, colleague: PersonRecord
) -> None:
    created = await goals.post("/goals", json=own_goal(somebody))
    goal, seen = created.json()["id"], {"Consistency-Token": created.headers["consistency-token"]}
    assert (await goals.get(f"/goals/{goal}", headers=seen)).status_code == 200
    async with installation.client("goals", colleague.person) as other:
        document = refused(await other.get(f"/goals/{goal}", headers=seen), 404, "problem:not-found")
        assert document["detail"] == f"There is no goal {goal} that you may see."
        refused(await other.post(f"/goals/{goal}/progress", json={"value": "5"}), 404, "problem:not-found")


async def test_a_goal_cascade_with_a_cycle_names_the_way(as_hr: httpx.AsyncClient, company: Company) -> None:
    top = {"level": "organization", "owner": str(company.head.person), "title": "Top", "parent": None, **YEAR}
    upper = (await accepted(as_hr, "/goals", top))["id"]
    middle = (await accepted(as_hr, "/goals", {**top, "title": "Middle", "parent": upper}))["id"]
    lower = (await accepted(as_hr, "/goals", {**top, "title": "Lower", "parent": middle}))["id"]
    values = broken_rule(
        await as_hr.post(f"/goals/{upper}/align", json={"parent": lower}), "goal-graph-must-be-acyclic"
    )
    assert values == {"goal": upper, "parent": lower, "ancestors": [middle, upper]}


async def test_nul_in_a_text_is_named(installation: Installation, somebody: PersonRecord, company: Company) -> None:
    body = {"receiver": str(company.head.person), "kind": "praise", "visibility": "receiver", "text": "a\x00b"}
    async with installation.client("feedback", somebody.person) as client:
        assert "NUL" in wrong_field(await client.post("/feedback", json=body), "text", "a\x00b")


async def test_a_command_on_a_closed_cycle_is_refused(
    installation: Installation, somebody: PersonRecord, company: Company
) -> None:
    policy = {"version": "1", "sections": [{"name": "goals", "weight": "100"}]}
    people = {"people": [str(somebody.person)]}
    async with installation.client("reviews", company.hr.person, Role.HR) as hr:
        cycle = await accepted(hr, "/cycles", {"name": "Closed", "policy": policy, "population": people, **YEAR})
        await accepted(hr, f"/cycles/{cycle['id']}/close", {"reason": "called-off"})
    review = derived("review", cycle["id"], somebody.person)
    ratings = {"ratings": [{"section": "goals", "item": "first", "rating": "4"}]}
    async with installation.client("reviews", somebody.person) as client:
        answer = await client.post(f"/reviews/{review}/self-assessment", json=ratings)
        assert broken_rule(answer, "review-cycle-is-closed") == {"cycle": cycle["id"]}


async def test_an_idempotency_key_stands_for_one_request(goals: httpx.AsyncClient, somebody: PersonRecord) -> None:
    key = str(uuid7())
    first = await accepted(goals, "/goals", own_goal(somebody), **{"Idempotency-Key": key})
    again = await accepted(goals, "/goals", own_goal(somebody), **{"Idempotency-Key": key})
    assert first == again
    body = own_goal(somebody, title="Another goal")
    answer = await goals.post("/goals", json=body, headers={"Idempotency-Key": key})
    document = refused(answer, 422, "problem:idempotency-key-reused")
    assert document["errors"] == [{"field": "Idempotency-Key", "value": key, "message": "was used for another request"}]


async def test_if_match_with_another_version_is_told_the_current_one(
    goals: httpx.AsyncClient, somebody: PersonRecord
) -> None:
    goal = (await accepted(goals, "/goals", own_goal(somebody)))["id"]
    answer = await goals.post(f"/goals/{goal}/progress", json={"value": "5"}, headers={"If-Match": '"7"'})
    document = refused(answer, 412, "problem:precondition-failed")
    assert document["values"] == {"expected": 7, "actual": 1}
    assert answer.headers["etag"] == '"1"'


async def test_malformed_json_is_told_where(goals: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    document = refused(await goals.post("/goals", content='{"level": ', headers=headers), 400, "problem:malformed-json")
    assert "at character 10" in document["detail"]


async def test_an_unknown_field_is_named(goals: httpx.AsyncClient, somebody: PersonRecord) -> None:
    answer = await goals.post("/goals", json=own_goal(somebody, colour="red"))
    assert wrong_field(answer, "colour", "red") == "is not a field of this request"


async def test_a_body_without_content_type_is_asked_to_be_json(
    goals: httpx.AsyncClient, somebody: PersonRecord
) -> None:
    content = json.dumps(own_goal(somebody)).encode()
    document = refused(await goals.post("/goals", content=content), 415, "problem:not-json")
    assert "Content-Type: application/json" in document["detail"]


async def test_a_huge_body_is_told_the_limit(goals: httpx.AsyncClient, somebody: PersonRecord) -> None:
    answer = await goals.post("/goals", json=own_goal(somebody, title="x" * 2_000_000))
    assert "1048576 bytes" in refused(answer, 413, "problem:body-too-large")["detail"]


async def test_a_cursor_of_another_list_is_named(goals: httpx.AsyncClient) -> None:
    answer = await goals.get("/goals", params={"cursor": "not-a-cursor"})
    assert wrong_field(answer, "cursor", "not-a-cursor") == "is not a cursor of this list"
