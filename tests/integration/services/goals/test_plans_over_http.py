"""Goal plans over HTTP: proposed by one, agreed by the other, with weights of exactly 100.00."""

from typing import Any

from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, Company

YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}


async def alices_goals(company: Company, count: int) -> list[str]:
    return [await company.goal(company.alice, ALICE) for _ in range(count)]


def plan(*goals: Any) -> dict[str, Any]:
    return {
        "owner": str(ALICE),
        "goals": [goal if isinstance(goal, dict) else {"goal": goal} for goal in goals],
        **YEAR,
    }


async def test_the_manager_proposes_and_the_owner_agrees(company: Company) -> None:
    goals = await alices_goals(company, 3)
    proposed = await company.hugo.post("/plans", json=plan(*goals))
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    assert proposed.json()["allowed_actions"] == ["propose"]
    identity = proposed.json()["id"]
    await company.settled()
    seen = (await company.alice.get(f"/plans/{identity}")).json()
    assert [weight["weight"] for weight in seen["weights"]] == ["33.34", "33.33", "33.33"]
    assert (seen["total"], seen["allowed_actions"]) == ("100.00", ["propose", "agree"])

    agreed = await company.alice.post(f"/plans/{identity}/agree")
    assert (agreed.json()["state"], agreed.json()["version"], agreed.json()["allowed_actions"]) == ("agreed", 2, [])
    await company.settled()
    [listed] = (await company.hugo.get("/plans", params={"owner": str(ALICE)})).json()["items"]
    assert (listed["id"], listed["state"], listed["agreed_by"]) == (identity, "agreed", str(ALICE))
    assert (await company.alice.get("/plans")).json()["items"] == [listed]
    refused(await company.hugo.post("/plans", json=plan(goals[0])), 409, "rule:goal-plan-is-already-agreed")


async def test_weights_that_do_not_total_100_are_drafted_but_not_agreed(company: Company) -> None:
    first, second = await alices_goals(company, 2)
    body = plan({"goal": first, "weight": "60"}, {"goal": second, "weight": "39.99"})
    identity = (await company.hugo.post("/plans", json=body)).json()["id"]
    document = refused(await company.alice.post(f"/plans/{identity}/agree"), 409, "rule:weights-must-total-100")
    assert document["values"] == {"total": "99.99", "required": "100.00"}


async def test_nobody_agrees_to_their_own_proposal(company: Company) -> None:
    goals = await alices_goals(company, 1)
    identity = (await company.alice.post("/plans", json=plan(*goals))).json()["id"]
    refused(await company.alice.post(f"/plans/{identity}/agree"), 409, "rule:goal-plan-must-be-agreed-by-the-other")
    assert (await company.hugo.post(f"/plans/{identity}/agree")).status_code == 200


async def test_a_plan_weighs_its_owners_active_goals(company: Company) -> None:
    [own] = await alices_goals(company, 1)
    others = await company.goal(company.bob, BOB)
    refused(await company.hugo.post("/plans", json=plan(own, others)), 409, "rule:plan-goal-must-be-the-owners")
    await company.alice.post(f"/goals/{own}/cancel", json={"reason": "merged"})
    refused(await company.hugo.post("/plans", json=plan(own)), 409, "rule:plan-goal-must-be-active")


async def test_a_plan_tells_nothing_of_a_goal_that_is_hidden(company: Company) -> None:
    [own] = await alices_goals(company, 1)
    hidden = await company.goal(company.bob, BOB)
    refused(await company.alice.post("/plans", json=plan(own, hidden)), 409, "rule:plan-goal-must-exist")


async def test_a_plan_is_not_there_for_others(company: Company) -> None:
    goals = await alices_goals(company, 1)
    identity = (await company.alice.post("/plans", json=plan(*goals))).json()["id"]
    await company.settled()
    for stranger in (company.bob, company.eve):
        refused(await stranger.get(f"/plans/{identity}"), 404, "problem:not-found")
        refused(await stranger.post(f"/plans/{identity}/agree"), 404, "problem:not-found")
        refused(await stranger.post("/plans", json=plan(*goals)), 404, "problem:not-found")
        refused(await stranger.get("/plans", params={"owner": str(ALICE)}), 404, "problem:not-found")
    nowhere = "/plans/0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    refused(await company.hanna.get(nowhere), 404, "problem:not-found")
    refused(await company.hanna.post(f"{nowhere}/agree"), 404, "problem:not-found")
