"""Templates given to a population over HTTP: each person's result listed, repeated without harm, and taken back."""

from datetime import date
from typing import Any

import httpx

from services.goals.api.assigning import CHUNK
from shared.eventsourcing.identifiers import derived
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import LEFT, record
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, COMPANY, EVE, HANNA, HUGO, Company
from tests.integration.services.goals.test_templates_over_http import created

YEAR: dict[str, Any] = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
WRONG: dict[str, Any] = {"reason": "wrong-department"}
GONE, SALLY = (PersonId(derived("person", name)) for name in ("gone", "sally"))


async def assigned(company: Company, template: str, **said: Any) -> httpx.Response:
    body = {"templates": [template], "population": said.pop("population", {}), **YEAR, **said}
    return await company.hanna.post("/assignments", json=body, headers=said.pop("headers", {}))


async def results_of(company: Company, assignment: str, **asked: Any) -> dict[str, tuple[str, str | None]]:
    """Of each person the outcome and the rule."""
    await company.settled()
    page = await company.hanna.get(f"/assignments/{assignment}/results", params={"limit": 200, **asked})
    assert page.json()["next"] is None
    return {one["person"]: (one["outcome"], one["rule"]) for one in page.json()["items"]}


async def goals_of(company: Company, person: PersonId) -> list[dict[str, Any]]:
    await company.settled()
    return (await company.hanna.get("/goals", params={"owner": str(person), "limit": 200})).json()["items"]


async def goal_of(company: Company, assignment: str, person: PersonId) -> str:
    await company.settled()
    items = (await company.hanna.get(f"/assignments/{assignment}/results")).json()["items"]
    return next(one["goal"] for one in items if one["person"] == str(person))


async def test_everybody_gets_the_goal_of_the_template(company: Company) -> None:
    template = await created(company)
    answer = await assigned(company, template)
    told = answer.json()
    assert (answer.status_code, told["state"], told["people"]) == (201, "assigned", 6)
    assert (told["results"], told["withdrawn"], told["kept"]) == ({"set": 6}, 0, 0)
    assert answer.headers["location"] == f"/goals/v1/assignments/{told['id']}"
    waiting = {"Consistency-Token": answer.headers["consistency-token"]}
    await company.settled()
    shown = (await company.hanna.get(f"/assignments/{told['id']}", headers=waiting)).json()
    assert (shown["results"], shown["people"], shown["state"]) == ({"set": 6}, 6, "assigned")
    assert await results_of(company, told["id"]) == {str(one.person): ("set", None) for one in COMPANY}
    (goal,) = await goals_of(company, ALICE)
    assert (goal["title"], goal["level"], goal["metric"]["kind"]) == ("Know our customers", "person", "milestones")
    assert (goal["starts_on"], goal["ends_on"], goal["state"]) == ("2026-01-01", "2026-12-31", "active")
    profile = (await company.alice.get(f"/goals/{goal['id']}/profile")).json()
    assert profile["description"] == "Spend a day with support, and a day with sales."
    assert (profile["values"], profile["tags"]) == (["close-to-customers"], ["onboarding"])


async def test_a_population_is_found_by_what_is_said_of_it(company: Company) -> None:
    await company.service.knows([record(SALLY, BOB, team="Support", country="FR")])
    template = await created(company)
    for n, (said, people) in enumerate(
        [
            ({"teams": ["Support"]}, {SALLY}),
            ({"countries": ["FR"]}, {SALLY}),
            ({"teams": ["Support"], "countries": ["DE"]}, set[PersonId]()),
            ({"reports_of": str(HUGO)}, {ALICE, BOB}),
            ({"reports_of": str(HUGO), "whole_line": True}, {ALICE, BOB, SALLY}),
            ({"people": [str(EVE), str(ALICE)]}, {EVE, ALICE}),
            ({"reports_of": str(HUGO), "people": [str(EVE), str(ALICE)]}, {ALICE}),
        ]
    ):
        dates = {"starts_on": "2026-01-01", "ends_on": f"2026-12-{n + 1:02}"}
        answer = await assigned(company, template, population=said, **dates)
        if people:
            assert set(await results_of(company, answer.json()["id"])) == {str(person) for person in people}, said
        else:
            document = refused(answer, 409, "rule:population-is-empty")
            assert document["values"]["teams"] == ["Support"]


async def test_who_is_refused_is_listed_with_the_rule_and_stops_nobody_else(company: Company) -> None:
    await company.service.knows([record(GONE, HUGO, status=LEFT, left_on=date(2025, 3, 31))])
    nobody = str(derived("person", "nobody"))
    assert (await company.hanna.post(f"/persons/{BOB}/erase", json={"reason": "asked-for"})).is_success
    people = {"people": [str(GONE), nobody, str(BOB), str(ALICE)]}
    told = (await assigned(company, await created(company), population=people)).json()
    assert told["results"] == {"set": 1, "refused": 3}
    assert await results_of(company, told["id"]) == {
        str(ALICE): ("set", None),
        str(BOB): ("refused", "person-is-erased"),
        str(GONE): ("refused", "person-must-be-employed"),
        nobody: ("refused", "person-must-be-employed"),
    }
    items = (await company.hanna.get(f"/assignments/{told['id']}/results?outcome=refused")).json()["items"]
    assert {one["message"] for one in items if one["person"] == nobody} == {
        f"person-must-be-employed (person={nobody})"
    }


async def test_who_has_the_goal_already_is_skipped(company: Company) -> None:
    template = await created(company)
    team = {"reports_of": str(HUGO)}
    first = (await assigned(company, template, population=team)).json()["id"]
    told = (await assigned(company, template)).json()
    assert told["results"] == {"set": 4, "skipped": 2}
    assert await results_of(company, told["id"], outcome="skipped") == {
        str(ALICE): ("skipped", None),
        str(BOB): ("skipped", None),
    }
    assert await goal_of(company, told["id"], ALICE) == await goal_of(company, first, ALICE)
    assert len(await goals_of(company, ALICE)) == 1


async def test_several_templates_are_given_at_once_under_a_parent(company: Company) -> None:
    parent = await company.goal(company.hanna, CLARA, level="organization", metric=None)
    body = {"templates": [await created(company), await created(company, title="Another")], "parent": parent, **YEAR}
    answer = await company.hanna.post("/assignments", json=body)
    assert answer.json()["results"] == {"set": 12}
    assert {goal["parent"] for goal in await goals_of(company, ALICE)} == {parent}
    short = body | {"ends_on": "2027-01-31"}
    refused(await company.hanna.post("/assignments", json=short), 409, "rule:child-dates-must-lie-inside-parent")


async def test_the_same_request_again_doubles_nothing(company: Company) -> None:
    body = {"templates": [await created(company)], **YEAR}
    key = {"Idempotency-Key": "onboarding-2026"}
    first = await company.hanna.post("/assignments", json=body, headers=key)
    again = await company.hanna.post("/assignments", json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    resumed = await company.hanna.post(f"/assignments/{first.json()['id']}/resume")
    assert resumed.json() == first.json()
    assert len(await goals_of(company, ALICE)) == 1
    assert len((await company.hanna.get("/assignments")).json()["items"]) == 1


async def test_what_a_template_says_later_does_not_count(company: Company) -> None:
    """An act that goes on gives what it began to give; its template may be retired by then."""
    template = await created(company)
    told = (await assigned(company, template, population={"people": [str(ALICE)]})).json()
    await company.hanna.post(f"/templates/{template}/retire", json={"reason": "replaced"})
    assert (await company.hanna.post(f"/assignments/{told['id']}/resume")).json() == told
    refused(await assigned(company, template), 409, "rule:goal-template-is-not-current")


async def test_an_assignment_is_undone_where_nothing_rests_on_its_goals(company: Company) -> None:
    assignment = (await assigned(company, await created(company))).json()["id"]
    goal = {person: await goal_of(company, assignment, person) for person in (ALICE, BOB, EVE)}
    assert (await company.alice.post(f"/goals/{goal[ALICE]}/progress", json={"value": "1"})).is_success
    plan = {"owner": str(BOB), "goals": [{"goal": goal[BOB]}], **YEAR}
    assert (await company.bob.post("/plans", json=plan)).is_success
    await company.goal(company.eve, EVE, parent=goal[EVE])
    await company.settled()
    answer = await company.hanna.post(f"/assignments/{assignment}/undo", json=WRONG)
    told = answer.json()
    assert (told["state"], told["withdrawn"], told["kept"]) == ("undone", 3, 3)
    assert await results_of(company, assignment) == {
        str(ALICE): ("kept", "withdrawn-goal-must-have-no-progress"),
        str(BOB): ("kept", "withdrawn-goal-must-not-be-planned"),
        str(EVE): ("kept", "withdrawn-goal-must-carry-no-others"),
        **{str(person): ("withdrawn", None) for person in (CLARA, HUGO, HANNA)},
    }
    assert [(one["state"], one["id"]) for one in await goals_of(company, ALICE)] == [("active", goal[ALICE])]
    assert [one["state"] for one in await goals_of(company, CLARA)] == ["cancelled"]
    refused(await company.hanna.post(f"/assignments/{assignment}/resume"), 409, "rule:goal-assignment-is-undone")


async def test_what_was_kept_is_withdrawn_once_nothing_rests_on_it_any_more(company: Company) -> None:
    assignment = (await assigned(company, await created(company), population={"people": [str(EVE)]})).json()["id"]
    given = await goal_of(company, assignment, EVE)
    below = await company.goal(company.eve, EVE, parent=given)
    assert (await company.hanna.post(f"/assignments/{assignment}/undo", json=WRONG)).json()["kept"] == 1
    assert (await company.eve.post(f"/goals/{below}/cancel", json={"reason": "not-needed"})).is_success
    told = (await company.hanna.post(f"/assignments/{assignment}/undo", json=WRONG)).json()
    assert (told["withdrawn"], told["kept"]) == (1, 0)
    assert await results_of(company, assignment) == {str(EVE): ("withdrawn", None)}


async def test_after_an_undo_the_same_goal_may_be_given_again(company: Company) -> None:
    template, eve = await created(company), {"people": [str(EVE)]}
    first = (await assigned(company, template, population=eve)).json()["id"]
    await company.hanna.post(f"/assignments/{first}/undo", json=WRONG)
    second = (await assigned(company, template, population=eve)).json()
    assert second["results"] == {"set": 1}
    assert [one["state"] for one in await goals_of(company, EVE)].count("active") == 1
    assert (await company.hanna.post(f"/assignments/{first}/undo", json=WRONG)).json()["withdrawn"] == 1
    assert [one["state"] for one in await goals_of(company, EVE)].count("active") == 1


async def test_a_population_of_several_chunks_gets_its_goals_whole(company: Company) -> None:
    more = [record(PersonId(derived("person", "more", n)), CLARA) for n in range(2 * CHUNK)]
    await company.service.knows(more)
    told = (await assigned(company, await created(company))).json()
    assert told["results"] == {"set": 2 * CHUNK + 6}
    undone = (await company.hanna.post(f"/assignments/{told['id']}/undo", json=WRONG)).json()
    assert (undone["withdrawn"], undone["kept"]) == (2 * CHUNK + 6, 0)
    await company.settled()
    assert (await company.hanna.get(f"/assignments/{told['id']}")).json()["results"] == {"withdrawn": 2 * CHUNK + 6}


async def test_nobody_but_hr_knows_of_assignments(company: Company) -> None:
    assignment = (await assigned(company, await created(company))).json()["id"]
    for other in (company.alice, company.hugo):
        refused(await other.get(f"/assignments/{assignment}"), 404, "problem:not-found")
        refused(await other.post(f"/assignments/{assignment}/undo", json=WRONG), 404, "problem:not-found")


async def test_an_assignment_that_is_not_there_is_not_found(company: Company) -> None:
    nowhere = f"/assignments/{derived('assignment', 'none')}"
    refused(await company.hanna.get(nowhere), 404, "problem:not-found")
    refused(await company.hanna.get(f"{nowhere}/results"), 404, "problem:not-found")
    refused(await company.hanna.post(f"{nowhere}/resume"), 404, "problem:not-found")
    refused(await company.hanna.post(f"{nowhere}/undo", json=WRONG), 404, "problem:not-found")


async def test_a_manager_gives_to_the_people_below_them_and_to_nobody_else(company: Company) -> None:
    await company.service.knows([record(SALLY, BOB, team="Support"), record(EVE, team="Support")])
    template = await created(company)

    async def given(manager: httpx.AsyncClient, number: int, **population: Any) -> httpx.Response:
        dates = {"starts_on": "2026-01-01", "ends_on": f"2026-12-{number:02}"}
        return await manager.post("/assignments", json={"templates": [template], "population": population, **dates})

    for number, (said, people) in enumerate(
        [
            ({}, {ALICE, BOB, SALLY}),
            ({"teams": ["Support"]}, {SALLY}),
            ({"people": [str(ALICE)]}, {ALICE}),
            ({"reports_of": str(HUGO)}, {ALICE, BOB}),
            ({"reports_of": str(BOB)}, {SALLY}),
        ],
        start=1,
    ):
        answer = await given(company.hugo, number, **said)
        assert answer.status_code == 201, answer.text
        assert set(await results_of(company, answer.json()["id"])) == {str(person) for person in people}, said
    for said, beyond in [
        ({"people": [str(ALICE), str(EVE)]}, EVE),
        ({"people": [str(HUGO)]}, HUGO),
        ({"reports_of": str(CLARA), "whole_line": True}, CLARA),
    ]:
        refusal = refused(await given(company.hugo, 9, **said), 409, "rule:population-must-be-below-its-manager")
        assert refusal["values"] == {"people": [str(beyond)]}
    refused(await given(company.eve, 10), 409, "rule:population-is-empty")
    refused(await given(company.alice, 11), 404, "problem:not-found")


async def test_a_manager_sees_the_assignments_that_they_began_and_no_others(company: Company) -> None:
    template = await created(company)
    by_hr = (await assigned(company, template, population={"people": [str(ALICE)]})).json()["id"]
    body = {"templates": [template], **YEAR, "ends_on": "2026-06-30"}
    own = (await company.hugo.post("/assignments", json=body)).json()
    assert (own["results"], own["allowed_actions"]) == ({"set": 2}, [])
    await company.settled()

    async def listed(reader: httpx.AsyncClient) -> list[str]:
        return [one["id"] for one in (await reader.get("/assignments")).json()["items"]]

    assert await listed(company.hanna) == [own["id"], by_hr]
    assert (await listed(company.hugo), await listed(company.eve), await listed(company.alice)) == ([own["id"]], [], [])
    for path in ("", "/results"):
        refused(await company.hugo.get(f"/assignments/{by_hr}{path}"), 404, "problem:not-found")
    refused(await company.hugo.post(f"/assignments/{by_hr}/resume"), 404, "problem:not-found")
    refused(await company.hugo.post(f"/assignments/{own['id']}/undo", json=WRONG), 403, "problem:forbidden")
    assert (await company.hugo.post(f"/assignments/{own['id']}/resume")).status_code == 200
    moved = await goal_of(company, own["id"], ALICE)
    handing = {"owner": str(EVE), "reason": "changed-teams"}
    assert (await company.hanna.post(f"/goals/{moved}/hand-over", json=handing)).status_code == 200
    await company.settled()
    shown = (await company.hugo.get(f"/assignments/{own['id']}/results")).json()["items"]
    goals = {one["person"]: (one["goal"] is None, one["goal_hidden"]) for one in shown}
    assert goals == {str(ALICE): (True, 1), str(BOB): (False, 0)}
