"""Goal plans over HTTP: proposed by one side, sent back or agreed by the other, with weights of exactly 100.00."""

from typing import Any

from tests.integration.people.company import record
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, CLARA, EVE, HUGO, Company

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
    assert (seen["total"], seen["allowed_actions"]) == ("100.00", ["propose", "agree", "return"])

    agreed = await company.alice.post(f"/plans/{identity}/agree")
    assert (agreed.json()["state"], agreed.json()["version"], agreed.json()["allowed_actions"]) == (
        "agreed",
        2,
        ["amend"],
    )
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


async def test_a_proposal_is_sent_back_and_both_sides_words_are_kept(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    identity = (await company.hugo.post("/plans", json=plan(goal))).json()["id"]
    returned = await company.alice.post(f"/plans/{identity}/return", json={"comment": "I answer for two teams"})
    assert (returned.status_code, returned.json()["state"]) == (200, "returned")
    assert returned.json()["allowed_actions"] == ["draft", "propose"]
    refused(await company.hugo.post(f"/plans/{identity}/agree"), 409, "rule:goal-plan-is-not-proposed")
    await company.alice.post("/plans", json=plan(goal))
    assert (await company.hugo.post(f"/plans/{identity}/agree")).json()["state"] == "agreed"
    await company.settled()
    steps = (await company.hugo.get(f"/plans/{identity}/steps")).json()["items"]
    assert [(step["step"], step["by"]) for step in steps] == [
        ("GoalPlanProposed", str(HUGO)),
        ("GoalPlanReturned", str(ALICE)),
        ("GoalPlanProposed", str(ALICE)),
        ("GoalPlanAgreed", str(HUGO)),
    ]
    assert steps[1]["said"]["comment"] == "I answer for two teams"
    [wording] = steps[0]["goals"]
    assert (wording["goal"], wording["title"], wording["titled_by"]) == (goal, "Answer within a day", str(ALICE))
    refused(await company.bob.get(f"/plans/{identity}/steps"), 404, "problem:not-found")


async def test_a_draft_is_saved_without_asking_anybody(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    drafted = await company.alice.post("/plans/drafts", json=plan({"goal": goal, "weight": "30"}))
    assert (drafted.status_code, drafted.json()["state"]) == (201, "drafted")
    refused(await company.hugo.post(f"/plans/{drafted.json()['id']}/agree"), 409, "rule:goal-plan-is-not-proposed")


async def test_an_agreed_goal_is_locked_and_its_progress_stays_free(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    identity = (await company.alice.post("/plans", json=plan(goal))).json()["id"]
    await company.hugo.post(f"/plans/{identity}/agree")
    document = refused(
        await company.alice.post(f"/goals/{goal}/cancel", json={"reason": "merged"}),
        409,
        "rule:agreed-goal-changes-by-amendment",
    )
    assert document["values"]["agreement"] == identity
    assert (await company.alice.post(f"/goals/{goal}/progress", json={"value": "5"})).status_code == 200


async def test_a_teams_goals_are_agreed_by_leader_and_manager_and_lock_too(company: Company) -> None:
    team = {"level": "team", "team": "Support"}
    goal = await company.goal(company.hugo, HUGO, **team)
    body = plan(goal) | {"owner": str(HUGO), "level": "team"}
    identity = (await company.hugo.post("/plans", json=body)).json()["id"]
    refused(await company.hanna.post(f"/plans/{identity}/agree"), 409, "rule:plan-is-agreed-by-the-owner-and-the-other")
    assert (await company.clara.post(f"/plans/{identity}/agree")).json()["state"] == "agreed"
    cancelled = await company.hugo.post(f"/goals/{goal}/cancel", json={"reason": "merged"})
    refused(cancelled, 409, "rule:agreed-goal-changes-by-amendment")


async def test_the_organizations_goals_are_agreed_by_owner_and_hr(company: Company) -> None:
    goal = await company.goal(company.hanna, HUGO, level="organization")
    body = plan(goal) | {"owner": str(HUGO), "level": "organization"}
    identity = (await company.hugo.post("/plans", json=body)).json()["id"]
    refused(await company.clara.post(f"/plans/{identity}/agree"), 409, "rule:plan-is-agreed-by-the-owner-and-the-other")
    assert (await company.hanna.post(f"/plans/{identity}/agree")).json()["state"] == "agreed"


async def test_who_has_no_manager_agrees_with_hr(company: Company) -> None:
    goal = await company.goal(company.clara, CLARA)
    identity = (await company.clara.post("/plans", json=plan(goal) | {"owner": str(CLARA)})).json()["id"]
    refused(await company.clara.post(f"/plans/{identity}/agree"), 409, "rule:goal-plan-must-be-agreed-by-the-other")
    assert (await company.hanna.post(f"/plans/{identity}/agree")).json()["state"] == "agreed"


async def test_a_manager_further_up_agrees_where_the_policy_says_so(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    identity = (await company.alice.post("/plans", json=plan(goal))).json()["id"]
    agree = f"/plans/{identity}/agree"
    refused(await company.clara.post(agree), 409, "rule:plan-is-agreed-by-the-owner-and-the-other")
    await company.hanna.post("/policies", json={"options": {"plan-agreement": "line"}, "reason": "small-company"})
    assert (await company.clara.post(agree)).json()["state"] == "agreed"


async def test_a_change_of_manager_moves_the_right_to_agree(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    identity = (await company.alice.post("/plans", json=plan(goal))).json()["id"]
    agree = f"/plans/{identity}/agree"
    refused(await company.eve.post(agree), 404, "problem:not-found")
    moved = record(ALICE, EVE)
    await company.service.knows([moved.model_copy(update={"revision": moved.revision + 1})])
    refused(await company.hugo.post(agree), 404, "problem:not-found")
    assert (await company.eve.post(agree)).json()["state"] == "agreed"
    await company.settled()
    [listed] = (await company.alice.get("/plans")).json()["items"]
    assert listed["agreed_by"] == str(EVE)


async def test_what_the_former_manager_proposed_needs_its_owner_still(company: Company) -> None:
    [goal] = await alices_goals(company, 1)
    identity = (await company.hugo.post("/plans", json=plan(goal))).json()["id"]
    moved = record(ALICE, EVE)
    await company.service.knows([moved.model_copy(update={"revision": moved.revision + 1})])
    refused(await company.eve.post(f"/plans/{identity}/agree"), 409, "rule:goal-plan-needs-its-owner")
    assert (await company.alice.post(f"/plans/{identity}/agree")).json()["state"] == "agreed"
