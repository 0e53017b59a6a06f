"""Policies over HTTP: adopted by HR, in force at once, named by every decision, readable by everybody."""

from sqlalchemy import text

from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from shared.eventsourcing.recent_states import RecentStates
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, HANNA, Company

ENTERPRISE = {"preset": "enterprise", "reason": "new-year"}
OWN_YEAR = {"starts_on": "2026-02-01", "ends_on": "2027-01-31"}


async def policy_versions(company: Company) -> list[str | None]:
    """What the metadata of all events name as their policy, in their order."""
    query = text("select metadata::jsonb->>'policy_version' from events order by position")
    async with company.service.runtime.engine.connect() as connection:
        return list(await connection.scalars(query))


async def test_a_policy_is_in_force_as_soon_as_it_is_adopted(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    plan = {"owner": str(ALICE), "goals": [{"goal": goal}], **OWN_YEAR}
    assert (await company.alice.post("/plans", json=plan)).status_code == 201
    adopted = await company.hanna.post("/policies", json=ENTERPRISE)
    assert (adopted.status_code, adopted.json()["state"], adopted.json()["version"]) == (201, "adopted", 1)
    later = plan | {"ends_on": "2026-12-31"}
    document = refused(await company.alice.post("/plans", json=later), 409, "rule:goal-plan-must-cover-a-period")
    assert document["values"] == {"starts_on": "2026-02-01", "ends_on": "2026-12-31", "period": "year"}


async def test_every_decision_names_the_version_it_was_made_under(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.hanna.post("/policies", json=ENTERPRISE)
    await company.alice.post(f"/goals/{goal}/progress", json={"value": "5"})
    await company.hanna.post("/policies", json={"options": {"plan-period": "any"}, "reason": "own-years"})
    plan = {"owner": str(ALICE), "goals": [{"goal": goal}], **OWN_YEAR}
    assert (await company.alice.post("/plans", json=plan)).status_code == 201
    versions = ["default-0", "default-0", "enterprise-1", "enterprise-1", "enterprise-2"]
    assert await policy_versions(company) == versions


async def test_another_process_learns_of_a_policy_within_a_second(company: Company) -> None:
    moment = 0.0
    runtime = company.service.runtime
    elsewhere = RecentStates(runtime.engine, runtime.handler.load, clock=lambda: moment)

    async def version() -> str:
        return in_force(await elsewhere.state(ADOPTION, THE_COMPANYS)).version

    assert await version() == "default-0"
    await company.hanna.post("/policies", json=ENTERPRISE)
    moment = 0.999
    assert await version() == "default-0"
    moment = 1.0
    assert await version() == "enterprise-1"


async def test_the_versions_are_listed_the_newest_first(company: Company) -> None:
    await company.hanna.post("/policies", json=ENTERPRISE)
    await company.hanna.post("/policies", json={"options": {"plan-period": "quarter"}, "reason": "faster"})
    await company.settled()
    first = (await company.alice.get("/policies", params={"limit": 1})).json()
    rest = (await company.alice.get("/policies", params={"limit": 1, "cursor": first["next"]})).json()
    assert [p["version"] for p in (*first["items"], *rest["items"])] == ["enterprise-2", "enterprise-1"]
    assert rest["next"] is None
    assert first["items"][0]["options"]["plan-period"] == "quarter"
    assert (await company.alice.get("/policies/enterprise-1")).json() == rest["items"][0]
    assert rest["items"][0] | {"options": {}, "adopted_at": ""} == {
        "version": "enterprise-1",
        "number": 1,
        "preset": "enterprise",
        "options": {},
        "reason": "new-year",
        "adopted_by": str(HANNA),
        "adopted_at": "",
    }
    refused(await company.alice.get("/policies/enterprise-3"), 404, "problem:not-found")


async def test_what_may_be_chosen_can_be_read(company: Company) -> None:
    await company.hanna.post("/policies", json=ENTERPRISE)
    in_force = (await company.bob.get("/policies/in-force")).json()
    shown = {option["name"]: option for option in in_force["options"]}
    assert in_force["version"] == "enterprise-1"
    assert (shown["plan-goals"]["value"], shown["plan-goals"]["default"]) == (
        {"minimum": 3, "maximum": 10},
        {"minimum": 1, "maximum": 50},
    )
    assert shown["plan-period"]["type"]["x-known-values"] == ["any", "month", "quarter", "half-year", "year"]
    assert set((await company.bob.get("/policies/presets")).json()) == {"startup", "family", "enterprise", "school"}


async def test_nobody_but_hr_adopts_a_policy(company: Company) -> None:
    for other in (company.alice, company.hugo, company.clara):
        refused(await other.post("/policies", json=ENTERPRISE), 403, "problem:forbidden")


async def test_a_wrong_option_is_named(company: Company) -> None:
    body = ENTERPRISE | {"options": {"plan-goals": {"minimum": 0}}}
    document = refused(await company.hanna.post("/policies", json=body), 409, "rule:policy-option-must-be-valid")
    assert document["values"] == {
        "option": "plan-goals",
        "value": {"minimum": 0},
        "field": "minimum",
        "message": "must be 1 or more",
    }
