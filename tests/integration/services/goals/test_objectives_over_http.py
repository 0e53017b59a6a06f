"""Objectives over HTTP: scored by their key results, graded when they are closed, and never weighed as aspirations."""

from typing import Any

from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, Company

YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
CLOSED = {"comment": "The market changed", "closed_on": "2026-11-30"}


async def objective(company: Company, commitment: str = "aspirational") -> tuple[str, list[str]]:
    """An objective of Alice's and its two key results, 60 % and 20 % reached."""
    goal = await company.goal(company.alice, ALICE, metric=None, objective=commitment)
    results = [await company.goal(company.alice, ALICE, parent=goal) for _ in range(2)]
    for result, value in zip(results, ("4", "8"), strict=True):
        assert (await company.alice.post(f"/goals/{result}/progress", json={"value": value})).status_code == 200
    return goal, results


async def shown(company: Company, goal: str) -> dict[str, Any]:
    await company.settled()
    answer = await company.hugo.get(f"/goals/{goal}/profile")
    assert answer.status_code == 200, answer.text
    return answer.json()["objective"]


async def test_an_objective_is_scored_by_its_key_results_and_graded_with_a_comment(company: Company) -> None:
    goal, results = await objective(company)
    assert await shown(company, goal) == {
        "commitment": "aspirational",
        "score": "0.40",
        "band": "yellow",
        "grade": None,
        "comment": None,
        "feeds_pay": False,
    }
    closing = {"value": None, "closed_on": "2026-11-30"}
    refused(
        await company.alice.post(f"/goals/{goal}/achieve", json=closing), 409, "rule:objective-is-closed-by-its-grade"
    )
    graded = await company.alice.post(f"/goals/{goal}/grade", json=CLOSED | {"grade": "0.7"})
    assert graded.status_code == 200, graded.text
    await company.alice.post(f"/goals/{results[0]}/progress", json={"value": "0"})
    seen = await shown(company, goal)
    assert (seen["score"], seen["grade"], seen["band"], seen["comment"]) == (
        "0.40",
        "0.70",
        "green",
        "The market changed",
    )
    row = await company.shown(company.alice, goal)
    assert (row["state"], row["progress"]) == ("achieved", "70.00")
    assert (await company.hanna.post(f"/persons/{ALICE}/erase")).status_code == 200
    assert (await shown(company, goal))["comment"] == "erased"


async def test_what_is_allowed_of_an_objective_is_what_its_rules_let_through(company: Company) -> None:
    goal, _ = await objective(company)
    allowed = ["align", "edit", "weigh", "set-health", "grade", "cancel", "hand-over", "carry-over"]
    assert (await company.shown(company.hugo, goal))["allowed_actions"] == allowed
    titled = await company.hugo.post(f"/goals/{goal}/title", json={"title": "Be there"})
    assert titled.json()["allowed_actions"] == allowed
    closing = {"value": None, "closed_on": "2026-11-30"}
    for step, body in {
        "achieve": closing,
        "miss": closing,
        "measure": {"measured_by": "manual"},
        "progress": {"value": "1"},
    }.items():
        answer = await company.hugo.post(f"/goals/{goal}/{step}", json=body)
        assert answer.json()["type"].startswith("urn:trellis:rule:"), f"{step}: {answer.text}"
    graded = await company.hugo.post(f"/goals/{goal}/grade", json=CLOSED | {"grade": "0.7"})
    assert graded.json()["allowed_actions"] == ["reopen", "carry-over"]


async def test_what_is_no_objective_is_not_graded(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    allowed = (await company.shown(company.hugo, goal))["allowed_actions"]
    assert "grade" not in allowed
    assert {"achieve", "miss", "choose-measure", "bind"} <= set(allowed)


async def test_a_goal_that_is_no_objective_has_none(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    assert await shown(company, goal) is None
    refused(await company.alice.post(f"/goals/{goal}/grade", json=CLOSED), 409, "rule:only-an-objective-is-graded")


async def test_a_plan_weighs_an_aspiration_only_if_the_policy_says_so(company: Company) -> None:
    goal, results = await objective(company)
    goals = [{"goal": goal, "weight": "40"}, {"goal": results[0], "weight": "60"}]
    plan = (await company.alice.post("/plans", json={"owner": str(ALICE), "goals": goals, **YEAR})).json()["id"]
    answer = await company.hugo.post(f"/plans/{plan}/agree")
    document = refused(answer, 409, "rule:aspirational-objective-must-weigh-nothing")
    assert document["values"] == {"goal": goal, "weight": "40.00"}
    body = {"options": {"aspirational-objectives-feed-pay": True}, "reason": "handbook"}
    assert (await company.hanna.post("/policies", json=body)).status_code == 201
    assert (await company.hugo.post(f"/plans/{plan}/agree")).status_code == 200
    assert (await shown(company, goal))["feeds_pay"]


async def test_an_aspiration_is_in_a_plan_with_weight_0(company: Company) -> None:
    goal, results = await objective(company)
    goals = [{"goal": goal, "weight": "0"}, {"goal": results[0], "weight": "100"}]
    plan = (await company.alice.post("/plans", json={"owner": str(ALICE), "goals": goals, **YEAR})).json()["id"]
    assert (await company.hugo.post(f"/plans/{plan}/agree")).status_code == 200
