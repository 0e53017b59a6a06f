"""The library of goals over HTTP: written by HR, read by everybody."""

from typing import Any

from services.goals.api.template_examples import TEMPLATE
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import Company

ONBOARDING: dict[str, Any] = TEMPLATE["for everybody"]["value"]


async def created(company: Company, **said: Any) -> str:
    answer = await company.hanna.post("/templates", json=ONBOARDING | said)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_hr_keeps_a_goal_that_everybody_reads(company: Company) -> None:
    answer = await company.hanna.post("/templates", json=ONBOARDING)
    template = answer.json()["id"]
    assert (answer.json()["state"], answer.json()["allowed_actions"]) == ("current", ["revise", "retire"])
    assert answer.headers["location"] == f"/goals/v1/templates/{template}"
    await company.settled()
    shown = await company.alice.get(f"/templates/{template}")
    assert shown.headers["etag"] == '"1"'
    assert shown.json() == {
        "id": template,
        "version": 1,
        "state": "current",
        "name": "Onboarding: the first quarter",
        "goal": {
            "title": "Know our customers",
            "description": "Spend a day with support, and a day with sales.",
            "metric": {"kind": "milestones", "start": "0", "target": "2", "unit": "days"},
            "values": ["close-to-customers"],
            "competencies": [],
            "tags": ["onboarding"],
            "visibility": None,
        },
        "allowed_actions": [],
    }


async def test_a_template_is_rewritten_and_retired(company: Company) -> None:
    template = await created(company)
    said = ONBOARDING | {"name": "The first month"}
    assert (await company.hanna.post(f"/templates/{template}/rewrite", json=said)).json()["version"] == 2
    retired = await company.hanna.post(f"/templates/{template}/retire", json={"reason": "replaced"})
    assert (retired.json()["state"], retired.json()["allowed_actions"]) == ("retired", [])
    await company.settled()
    shown = (await company.bob.get(f"/templates/{template}")).json()
    assert (shown["name"], shown["state"], shown["version"]) == ("The first month", "retired", 3)
    again = await company.hanna.post(f"/templates/{template}/rewrite", json=ONBOARDING)
    refused(again, 409, "rule:goal-template-is-not-current")


async def test_the_library_is_listed_by_name_page_by_page(company: Company) -> None:
    for name in ("c", "a", "b"):
        await created(company, name=name)
    gone = await created(company, name="0")
    await company.hanna.post(f"/templates/{gone}/retire", json={"reason": "replaced"})
    await company.settled()
    asked = {"limit": 2, "state": "current"}
    first = (await company.alice.get("/templates", params=asked)).json()
    rest = (await company.alice.get("/templates", params={**asked, "cursor": first["next"]})).json()
    assert [one["name"] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert (await company.alice.get("/templates", params={"state": "retired"})).json()["items"][0]["id"] == gone


async def test_nobody_but_hr_writes_in_the_library(company: Company) -> None:
    template = await created(company)
    for other in (company.alice, company.hugo):
        refused(await other.post("/templates", json=ONBOARDING), 403, "problem:forbidden")
        refused(await other.post(f"/templates/{template}/rewrite", json=ONBOARDING), 403, "problem:forbidden")


async def test_a_template_that_is_not_there_is_not_found(company: Company) -> None:
    nowhere = "/templates/0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    refused(await company.hanna.get(nowhere), 404, "problem:not-found")
    refused(await company.hanna.post(f"{nowhere}/rewrite", json=ONBOARDING), 404, "problem:not-found")
