"""Cycles over HTTP: opened over a population, resumed, closed, and seen by HR alone."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.reviews.api.population import CHUNK
from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import LEFT, record
from tests.integration.services.reviews.company import (
    ANN,
    BOB,
    CARL,
    CYCLE,
    DANA,
    FORM,
    HANNA,
    HUGO,
    PEOPLE,
    POLICY,
    Company,
    accepted,
    refused,
)

NOBODY = str(uuid7())


async def reviews_of(company: Company, cycle: str) -> dict[PersonId, dict[str, Any]]:
    await company.settled()
    page = await accepted(company.hanna.get("/reviews", params={"cycle": cycle, "limit": 200}))
    assert page["next"] is None
    return {PersonId(UUID(item["person"])): item for item in page["items"]}


async def test_a_cycle_opens_one_review_per_employed_person(company: Company) -> None:
    answer = await company.hanna.post("/cycles", json=CYCLE)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["state"], body["version"], body["population"]) == ("open", 1, 6)
    assert body["allowed_actions"] == ["close"]
    assert answer.headers["location"] == f"/reviews/v1/cycles/{body['id']}"
    reviews = await reviews_of(company, body["id"])
    assert set(reviews) == {DANA, CARL, ANN, BOB, HANNA, HUGO}
    assert all(item["id"] == str(derived("review", body["id"], person)) for person, item in reviews.items())
    assert {item["state"] for item in reviews.values()} == {"opened"}


async def test_the_managers_of_that_moment_are_the_managers_of_record(company: Company) -> None:
    gone = PersonId(uuid7())
    orphan = PersonId(uuid7())
    await company.service.knows([record(gone, DANA, status=LEFT, left_on=date(2021, 1, 1)), record(orphan, gone)])
    cycle = await company.opened()
    managers = {person: item["manager"] for person, item in (await reviews_of(company, cycle)).items()}
    assert managers[ANN] == str(CARL)
    assert managers[CARL] == str(DANA)
    assert managers[DANA] is None
    assert managers[orphan] is None, "a manager who has left assesses nobody"
    assert gone not in managers


async def test_a_cycle_may_be_opened_over_teams_and_single_people(company: Company) -> None:
    body = CYCLE | {"population": {"teams": ["HR"], "people": [str(ANN)]}}
    cycle = (await accepted(company.hanna.post("/cycles", json=body)))["id"]
    assert set(await reviews_of(company, cycle)) == {ANN, HANNA, HUGO}


async def test_somebody_who_is_not_employed_is_named(company: Company) -> None:
    body = CYCLE | {"population": {"people": [str(ANN), NOBODY]}}
    problem = await refused(company.hanna.post("/cycles", json=body), 409, "rule:people-are-not-employed")
    assert problem["values"]["people"] == [NOBODY]
    assert problem["values"]["count"] == 1


async def test_a_team_that_nobody_is_in_is_no_population(company: Company) -> None:
    body = CYCLE | {"population": {"teams": ["Atlantis"]}}
    await refused(company.hanna.post("/cycles", json=body), 409, "rule:population-is-empty")


async def test_the_answers_token_covers_the_reviews_in_all_partitions(company: Company) -> None:
    answer = await company.hanna.post("/cycles", json=CYCLE)
    waiting = {"Consistency-Token": answer.headers["consistency-token"]}
    await company.settled()
    seen = await accepted(company.hanna.get(f"/cycles/{answer.json()['id']}", headers=waiting))
    assert (seen["population"], seen["reviews"]) == (6, 6)


async def test_the_request_repeated_opens_nothing_twice(company: Company) -> None:
    key = {"Idempotency-Key": "cycle-2026"}
    first = await company.hanna.post("/cycles", json=CYCLE, headers=key)
    again = await company.hanna.post("/cycles", json=CYCLE, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    await company.settled()
    progress = await accepted(company.hanna.get(f"/cycles/{first.json()['id']}"))
    assert progress["by_state"]["opened"] == progress["reviews"] == 6
    listed = await accepted(company.hanna.get("/cycles"))
    assert [item["id"] for item in listed["items"]] == [first.json()["id"]]


async def test_the_same_key_with_another_body_is_refused(company: Company) -> None:
    key = {"Idempotency-Key": "cycle-2026"}
    await accepted(company.hanna.post("/cycles", json=CYCLE, headers=key))
    other = company.hanna.post("/cycles", json=CYCLE | {"name": "Another"}, headers=key)
    await refused(other, 422, "problem:idempotency-key-reused")


async def test_an_opening_that_was_interrupted_is_finished_by_repeating_it(company: Company) -> None:
    """The cycle alone was stored: the process died before the first chunk."""
    key = {"Idempotency-Key": "cycle-2026"}
    cycle = (await accepted(company.hanna.post("/cycles", json=CYCLE, headers=key)))["id"]
    async with company.service.runtime.engine.begin() as connection:
        await connection.execute(text("delete from events where stream like 'review-%'"))
        await connection.execute(text("delete from streams where stream like 'review-%'"))
    forgotten = [stream_name("review", derived("review", cycle, person.person)) for person in PEOPLE]
    company.service.runtime.handler.forget(*forgotten)
    assert await reviews_of(company, cycle) == {}
    (listed,) = (await accepted(company.hanna.get("/cycles")))["items"]
    assert (listed["reviews"], listed["population"]) == (0, 6), "the list says how far it is"
    await accepted(company.hanna.post("/cycles", json=CYCLE, headers=key))
    assert len(await reviews_of(company, cycle)) == 6
    (listed,) = (await accepted(company.hanna.get("/cycles")))["items"]
    assert (listed["reviews"], listed["population"]) == (6, 6)


async def test_a_population_of_several_chunks_is_opened_whole(company: Company) -> None:
    joined = [record(PersonId(uuid7()), CARL) for _ in range(2 * CHUNK)]
    await company.service.knows(joined)
    opened = await accepted(company.hanna.post("/cycles", json=CYCLE))
    await company.settled()
    progress = await accepted(company.hanna.get(f"/cycles/{opened['id']}"))
    assert progress["reviews"] == progress["population"] == opened["population"] == 2 * CHUNK + 6


async def test_who_joined_since_gets_a_review_and_the_others_keep_theirs(company: Company) -> None:
    cycle = await company.opened()
    await company.begun()
    await accepted(company.carl.post(f"{company.review()}/manager-assessment", json=FORM))
    joined = PersonId(uuid7())
    await company.service.knows([record(joined, CARL)])
    answer = await accepted(company.hanna.post(f"/cycles/{cycle}/reviews", json={}))
    assert answer == {"cycle": cycle, "population": 7}
    reviews = await reviews_of(company, cycle)
    assert (len(reviews), reviews[joined]["state"], reviews[ANN]["state"]) == (7, "opened", "manager-assessed")


async def test_a_closed_cycle_opens_no_review_and_closes_once(company: Company) -> None:
    cycle = await company.opened()
    closed = await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))
    assert (closed["state"], closed["version"], closed["allowed_actions"]) == ("closed", 2, [])
    again = await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))
    assert again["version"] == 2
    await refused(company.hanna.post(f"/cycles/{cycle}/reviews", json={}), 409, "rule:review-cycle-is-closed")
    await company.settled()
    seen = await accepted(company.hanna.get(f"/cycles/{cycle}"))
    assert (seen["state"], seen["allowed_actions"]) == ("closed", [])


async def test_a_cycle_that_does_not_exist_is_not_found(company: Company) -> None:
    await refused(company.hanna.get(f"/cycles/{NOBODY}"), 404, "problem:not-found")
    close = company.hanna.post(f"/cycles/{NOBODY}/close", json={"reason": "done"})
    await refused(close, 404, "problem:not-found")
    await refused(company.hanna.post(f"/cycles/{NOBODY}/reviews", json={}), 404, "problem:not-found")


async def test_only_hr_handles_cycles(company: Company) -> None:
    cycle = await company.opened()
    for other in (company.ann, company.carl, company.dana):
        for path, body in (
            ("/cycles", CYCLE),
            (f"/cycles/{cycle}/reviews", {}),
            (f"/cycles/{cycle}/close", {"reason": "done"}),
        ):
            await refused(other.post(path, json=body), 404, "problem:not-found")
        await refused(other.get(f"/cycles/{cycle}"), 404, "problem:not-found")


async def test_a_cycle_shows_states_ratings_and_levels(company: Company) -> None:
    cycle = await company.opened()
    await company.assessed()
    partial = {"ratings": [{"section": "competencies", "item": "collaboration", "rating": "5"}]}
    await company.begun(BOB)
    await accepted(company.carl.post(f"{company.review(BOB)}/manager-assessment", json=partial))
    await company.settled()
    seen = await accepted(company.hanna.get(f"/cycles/{cycle}"))
    assert {state: count for state, count in seen["by_state"].items() if count} == {"opened": 4, "manager-assessed": 2}
    assert seen["ratings"] == [{"overall": "4.40", "count": 1}, {"overall": None, "count": 1}]
    assert seen["levels"] == [{"level": "exceeds", "count": 1}]
    assert seen["policy"]["minimum_coverage"] == "60"


async def test_cycles_are_listed_page_by_page_the_latest_first(company: Company) -> None:
    ids = [await company.opened(name=f"Cycle {n}", population={"people": [str(ANN)]}) for n in range(3)]
    first = await accepted(company.hanna.get("/cycles", params={"limit": 2}))
    rest = await accepted(company.hanna.get("/cycles", params={"limit": 2, "cursor": first["next"]}))
    assert [item["id"] for item in [*first["items"], *rest["items"]]] == ids[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        ({"sections": [{"name": "goals", "weight": "99.99"}]}, "section-weights-must-total-100"),
        ({"scale_minimum": "5"}, "scale-is-empty"),
        ({"levels": [{"name": "a", "minimum": "3"}, {"name": "b", "minimum": "2"}]}, "levels-must-ascend"),
    ],
)
async def test_an_unsound_policy_opens_nothing(company: Company, policy: dict[str, Any], rule: str) -> None:
    await refused(company.hanna.post("/cycles", json=CYCLE | {"policy": POLICY | policy}), 409, f"rule:{rule}")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a\x00b"}, "name"),
        ({"starts_on": "2026-13-01"}, "starts_on"),
        ({"policy": POLICY | {"scale_maximum": 5}}, "policy.scale_maximum"),
        ({"policy": POLICY | {"sections": []}}, "policy.sections"),
        ({"population": {"people": ["ann"]}}, "population.people.0"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_an_impossible_body_names_the_field(company: Company, change: dict[str, Any], field: str) -> None:
    problem = await refused(company.hanna.post("/cycles", json=CYCLE | change), 422, "problem:invalid-request")
    assert [error["field"] for error in problem["errors"]] == [field]
