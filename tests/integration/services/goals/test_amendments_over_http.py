"""Amendments over HTTP: plan and goals change in one act that both sides want, leaving exactly 100.00."""

import asyncio
from typing import Any

import httpx

from tests.integration.people.company import record
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, HUGO, Company

YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
WHY = {"reason": "Others do it now"}
IN_HOURS = {"kind": "number", "start": "10", "target": "2", "unit": "hours"}


def weighed(goals: list[str], *percent: str) -> list[dict[str, str]]:
    return [{"goal": goal, "weight": weight} for goal, weight in zip(goals, percent, strict=False)]


async def agreed_plan(company: Company, *percent: str) -> tuple[str, list[str]]:
    """Alice's plan, proposed by her and agreed by Hugo, and its goals."""
    goals = [await company.goal(company.alice, ALICE) for _ in percent]
    body = {"owner": str(ALICE), "goals": weighed(goals, *percent), **YEAR}
    plan = (await company.alice.post("/plans", json=body)).json()["id"]
    assert (await company.hugo.post(f"/plans/{plan}/agree")).status_code == 200
    return plan, goals


async def amendment(proposer: httpx.AsyncClient, plan: str, **asked: Any) -> str:
    """The path of an amendment that was proposed."""
    answer = await proposer.post(f"/plans/{plan}/amendments", json=WHY | asked)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix("/goals/v1")


async def shown(company: Company, plan: str) -> dict[str, Any]:
    await company.settled()
    return (await company.alice.get(f"/plans/{plan}")).json()


def weights_of(plan: dict[str, Any]) -> dict[str, str]:
    return {weight["goal"]: weight["weight"] for weight in plan["weights"]}


async def test_a_goal_of_an_agreed_plan_is_cancelled_and_the_others_take_its_weight(company: Company) -> None:
    """The trap elsewhere: with locked weights a third goal can never go."""
    plan, goals = await agreed_plan(company, "50", "30", "20")
    refused(
        await company.alice.post(f"/goals/{goals[2]}/cancel", json={"reason": "merged"}),
        409,
        "rule:agreed-goal-changes-by-amendment",
    )
    path = await amendment(
        company.alice,
        plan,
        goals=weighed(goals, "60", "40"),
        cancellations=[{"goal": goals[2], "reason": "merged"}],
    )
    waiting = await shown(company, plan)
    assert (waiting["amendment"], waiting["total"]) == (path.rsplit("/", 1)[1], "100.00")
    approved = await company.hugo.post(f"{path}/approve")
    assert (approved.status_code, approved.json()["state"]) == (200, "agreed")
    after = await shown(company, plan)
    assert (weights_of(after), after["amendment"]) == ({goals[0]: "60.00", goals[1]: "40.00"}, None)
    assert (await company.shown(company.alice, goals[2]))["state"] == "cancelled"


async def test_title_target_and_dates_change_with_the_other_sides_approval_alone(company: Company) -> None:
    plan, goals = await agreed_plan(company, "100")
    await company.alice.post(f"/goals/{goals[0]}/progress", json={"value": "6"})
    change = {"goal": goals[0], "title": "Answer within two hours", "metric": IN_HOURS, "ends_on": "2026-11-30"}
    path = await amendment(company.hugo, plan, goals=weighed(goals, "100"), changes=[change])
    unchanged = await company.shown(company.alice, goals[0])
    assert (unchanged["title"], unchanged["metric"]["target"]) == ("Answer within a day", "0")
    refused(await company.hugo.post(f"{path}/approve"), 409, "rule:goal-plan-must-be-agreed-by-the-other")
    assert (await company.alice.post(f"{path}/approve")).status_code == 200
    changed = await company.shown(company.alice, goals[0])
    assert (changed["title"], changed["ends_on"]) == ("Answer within two hours", "2026-11-30")
    assert (changed["metric"]["target"], changed["value"], changed["progress"]) == ("2", "6", "50.00")


async def test_a_goal_joins_the_plan_and_is_held_by_it(company: Company) -> None:
    plan, goals = await agreed_plan(company, "100")
    another = await company.goal(company.alice, ALICE)
    path = await amendment(company.alice, plan, goals=weighed([*goals, another], "70", "30"))
    assert (await company.hugo.post(f"{path}/approve")).status_code == 200
    assert weights_of(await shown(company, plan)) == {goals[0]: "70.00", another: "30.00"}
    refused(
        await company.alice.post(f"/goals/{another}/cancel", json={"reason": "merged"}),
        409,
        "rule:agreed-goal-changes-by-amendment",
    )


async def test_a_goal_leaves_the_plan_and_is_free_again(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    path = await amendment(company.alice, plan, goals=weighed(goals, "100"))
    assert (await company.hugo.post(f"{path}/approve")).status_code == 200
    assert (await company.alice.post(f"/goals/{goals[1]}/cancel", json={"reason": "merged"})).status_code == 200


async def test_a_planned_goal_is_handed_over_with_its_title_sealed_anew(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    handover = {"goal": goals[1], "to": str(BOB), "reason": "moved"}
    path = await amendment(company.hugo, plan, goals=weighed(goals, "100"), handovers=[handover])
    assert (await company.alice.post(f"{path}/approve")).status_code == 200
    seen = await company.shown(company.bob, goals[1])
    assert (seen["owner"], seen["title"]) == (str(BOB), "Answer within a day")


async def test_an_amendment_is_sent_back_and_nothing_has_changed(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    path = await amendment(company.hugo, plan, goals=weighed(goals, "90", "10"))
    returned = await company.alice.post(f"{path}/return", json={"comment": "Both matter to me"})
    assert (returned.status_code, returned.json()["allowed_actions"]) == (200, ["amend"])
    assert weights_of(await shown(company, plan)) == {goals[0]: "50.00", goals[1]: "50.00"}
    refused(await company.alice.post(f"{path}/approve"), 409, "rule:amendment-is-not-proposed")


async def test_both_sides_words_of_an_amendment_are_kept(company: Company) -> None:
    plan, goals = await agreed_plan(company, "100")
    first = await amendment(
        company.hugo, plan, goals=weighed(goals, "100"), changes=[{"goal": goals[0], "title": "In an hour"}]
    )
    await company.alice.post(f"{first}/return", json={"comment": "Two are realistic"})
    second = await amendment(
        company.alice, plan, goals=weighed(goals, "100"), changes=[{"goal": goals[0], "title": "In two hours"}]
    )
    await company.hugo.post(f"{second}/approve")
    await company.settled()
    steps = (await company.hugo.get(f"/plans/{plan}/steps")).json()["items"]
    said = [
        (step["by"], step["said"]["changes"][0]["title"]) for step in steps if step["step"] == "GoalAmendmentProposed"
    ]
    assert said == [(str(HUGO), "In an hour"), (str(ALICE), "In two hours")]
    assert (
        next(step["said"]["comment"] for step in steps if step["step"] == "GoalAmendmentReturned")
        == "Two are realistic"
    )


async def test_what_a_goals_own_rules_refuse_is_not_even_proposed(company: Company) -> None:
    plan, goals = await agreed_plan(company, "100")
    backwards = {"goal": goals[0], "starts_on": "2026-12-31", "ends_on": "2026-01-01"}
    body = WHY | {"goals": weighed(goals, "100"), "changes": [backwards]}
    answer = await company.hugo.post(f"/plans/{plan}/amendments", json=body)
    refused(answer, 409, "rule:goal-must-not-end-before-it-starts")
    assert (await shown(company, plan))["amendment"] is None


async def test_a_rule_that_breaks_at_the_approval_changes_neither_plan_nor_goals(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    change = {"goal": goals[0], "title": "In an hour"}
    path = await amendment(company.hugo, plan, goals=weighed(goals, "80", "20"), changes=[change])
    limits = {"options": {"plan-weights": {"minimum": "25", "maximum": "75"}}, "reason": "no-giants"}
    await company.hanna.post("/policies", json=limits)
    refused(await company.alice.post(f"{path}/approve"), 409, "rule:weight-must-keep-the-limits")
    assert weights_of(await shown(company, plan)) == {goals[0]: "50.00", goals[1]: "50.00"}
    assert (await company.shown(company.alice, goals[0]))["title"] == "Answer within a day"


async def test_a_stranger_proposes_and_approves_nothing(company: Company) -> None:
    plan, goals = await agreed_plan(company, "100")
    body = WHY | {"goals": weighed(goals, "100"), "changes": [{"goal": goals[0], "title": "In an hour"}]}
    refused(await company.bob.post(f"/plans/{plan}/amendments", json=body), 404, "problem:not-found")
    refused(
        await company.hanna.post(f"/plans/{plan}/amendments", json=body),
        409,
        "rule:plan-is-agreed-by-the-owner-and-the-other",
    )
    path = await amendment(company.hugo, plan, **{name: body[name] for name in ("goals", "changes")})
    refused(await company.bob.post(f"{path}/approve"), 404, "problem:not-found")


async def test_an_agreement_and_a_change_of_the_same_moment_never_both_go_through(company: Company) -> None:
    """What is agreed is what was proposed, also when the owner changes it in the very moment of the agreement."""
    for attempt in range(6):
        goal = await company.goal(company.alice, ALICE)
        body = {"owner": str(ALICE), "goals": weighed([goal], "100"), "starts_on": f"2026-0{attempt + 1}-01"}
        proposed = await company.alice.post("/plans", json=body | {"ends_on": f"2026-0{attempt + 1}-28"})
        plan = proposed.json()["id"]
        agreed, retitled = await asyncio.gather(
            company.hugo.post(f"/plans/{plan}/agree"),
            company.alice.post(f"/goals/{goal}/title", json={"title": "Another thing"}),
        )
        assert sorted((agreed.status_code, retitled.status_code)) == [200, 409], (agreed.text, retitled.text)


async def test_a_goal_that_was_cancelled_out_of_the_plan_is_free_when_it_is_reopened(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    leaving = {"goals": weighed(goals, "100"), "cancellations": [{"goal": goals[1], "reason": "merged"}]}
    path = await amendment(company.alice, plan, **leaving)
    assert (await company.hugo.post(f"{path}/approve")).status_code == 200
    assert (
        await company.hugo.post(f"/goals/{goals[1]}/reopen", json={"reason": "needed-after-all"})
    ).status_code == 200
    retitled = await company.alice.post(f"/goals/{goals[1]}/title", json={"title": "Answer at once"})
    assert retitled.status_code == 200, retitled.text


async def test_a_goal_that_another_plan_holds_is_not_changed_by_this_ones_amendment(company: Company) -> None:
    """The organization's goals are agreed with HR; a manager who weighs one in a person's plan does not undo that."""
    goal = await company.goal(company.hanna, ALICE, level="organization")
    of_the_company = {"owner": str(ALICE), "level": "organization", "goals": weighed([goal], "100"), **YEAR}
    plan = (await company.alice.post("/plans", json=of_the_company)).json()["id"]
    assert (await company.hanna.post(f"/plans/{plan}/agree")).status_code == 200
    of_the_person = {"owner": str(ALICE), "goals": weighed([goal], "100"), **YEAR}
    own = (await company.alice.post("/plans", json=of_the_person)).json()["id"]
    assert (await company.hugo.post(f"/plans/{own}/agree")).status_code == 200
    change = {"goal": goal, "title": "Answer within a month"}
    body = WHY | {"goals": weighed([goal], "100"), "changes": [change]}
    refused(
        await company.alice.post(f"/plans/{own}/amendments", json=body),
        409,
        "rule:goal-is-locked-by-another-agreement",
    )
    other = await company.goal(company.alice, ALICE)
    body = WHY | {"goals": weighed([other], "100"), "cancellations": [{"goal": goal, "reason": "merged"}]}
    refused(
        await company.alice.post(f"/plans/{own}/amendments", json=body),
        409,
        "rule:goal-is-locked-by-another-agreement",
    )


async def test_a_planned_goal_is_handed_over_to_nobody_whose_last_day_has_passed(company: Company) -> None:
    plan, goals = await agreed_plan(company, "50", "50")
    await company.service.knows([record(BOB, HUGO, left_on="2025-12-31", revision=2)])
    handover = {"goal": goals[1], "to": str(BOB), "reason": "moved"}
    body = WHY | {"goals": weighed(goals, "100"), "handovers": [handover]}
    refused(await company.hugo.post(f"/plans/{plan}/amendments", json=body), 409, "rule:next-owner-must-be-employed")


async def plan_with_a_hidden_goal(company: Company) -> tuple[str, list[str]]:
    """Alice's plan, whose second goal she and Hugo alone see; Clara, above him, may answer for the plan."""
    await company.hanna.post("/policies", json={"options": {"plan-agreement": "line"}, "reason": "flat"})
    goals = [
        await company.goal(company.alice, ALICE),
        await company.goal(company.alice, ALICE, visibility="owner-and-manager"),
    ]
    body = {"owner": str(ALICE), "goals": weighed(goals, "50", "50"), **YEAR}
    plan = (await company.alice.post("/plans", json=body)).json()["id"]
    assert (await company.hugo.post(f"/plans/{plan}/agree")).status_code == 200
    assert (await company.clara.get(f"/goals/{goals[1]}")).status_code == 404
    return plan, goals


async def test_a_goal_of_the_plan_that_the_proposer_may_not_see_is_none_to_them(company: Company) -> None:
    plan, goals = await plan_with_a_hidden_goal(company)
    asked = WHY | {"goals": weighed(goals, "60", "40")}
    refused(await company.clara.post(f"/plans/{plan}/amendments", json=asked), 409, "rule:plan-goal-must-exist")


async def test_the_steps_of_a_plan_show_no_words_of_goals_that_the_reader_may_not_see(company: Company) -> None:
    plan, goals = await plan_with_a_hidden_goal(company)
    changes = [{"goal": goal, "title": "In an hour"} for goal in goals]
    await amendment(company.hugo, plan, goals=weighed(goals, "50", "50"), changes=changes)
    await company.settled()
    for reader, visible in ((company.alice, goals), (company.hugo, goals), (company.clara, goals[:1])):
        steps = (await reader.get(f"/plans/{plan}/steps")).json()["items"]
        assert {goal["goal"] for step in steps for goal in step["goals"]} == set(visible)
        assert [change["goal"] for change in steps[-1]["said"]["changes"]] == visible


async def weighed_twice(company: Company) -> tuple[str, str, list[str]]:
    """The organization's plan of two goals, agreed with HR, and the owner's own that weighs the first one too."""
    goals = [await company.goal(company.hanna, ALICE, level="organization") for _ in range(2)]
    whole = {"owner": str(ALICE), "level": "organization", "goals": weighed(goals, "50", "50"), **YEAR}
    plan = (await company.alice.post("/plans", json=whole)).json()["id"]
    assert (await company.hanna.post(f"/plans/{plan}/agree")).status_code == 200
    body = {"owner": str(ALICE), "goals": weighed(goals, "100"), **YEAR}
    own = (await company.alice.post("/plans", json=body)).json()["id"]
    assert (await company.hugo.post(f"/plans/{own}/agree")).status_code == 200
    return plan, own, goals


async def test_a_goal_that_two_plans_weigh_is_held_until_both_have_let_it_go(company: Company) -> None:
    plan, own, goals = await weighed_twice(company)
    path = await amendment(company.alice, plan, goals=weighed(goals[1:], "100"))
    assert (await company.hanna.post(f"{path}/approve")).status_code == 200
    title = {"title": "Answer within an hour"}
    document = refused(
        await company.hanna.post(f"/goals/{goals[0]}/title", json=title), 409, "rule:agreed-goal-changes-by-amendment"
    )
    assert document["values"]["agreement"] == own
    mine = await company.goal(company.alice, ALICE)
    path = await amendment(company.alice, own, goals=weighed([mine], "100"))
    assert (await company.hugo.post(f"{path}/approve")).status_code == 200
    assert (await company.hanna.post(f"/goals/{goals[0]}/title", json=title)).status_code == 200


async def test_the_plan_of_a_goals_own_level_changes_it_but_takes_it_from_no_other(company: Company) -> None:
    plan, _, goals = await weighed_twice(company)
    leaving = {"goals": weighed(goals[1:], "100"), "cancellations": [{"goal": goals[0], "reason": "merged"}]}
    answer = await company.alice.post(f"/plans/{plan}/amendments", json=WHY | leaving)
    refused(answer, 409, "rule:goal-is-locked-by-another-agreement")
    change = {"goal": goals[0], "title": "Answer within an hour"}
    path = await amendment(company.alice, plan, goals=weighed(goals, "50", "50"), changes=[change])
    assert (await company.hanna.post(f"{path}/approve")).status_code == 200
    assert (await company.shown(company.alice, goals[0]))["title"] == "Answer within an hour"


async def test_an_amendment_does_no_more_with_a_goal_above_persons_than_the_table_allows(company: Company) -> None:
    """HR alone edits the goals of the organization: a plan of a person, agreed with a manager, is no way round."""
    goal = await company.goal(company.hanna, ALICE, level="organization")
    body = {"owner": str(ALICE), "goals": weighed([goal], "100"), **YEAR}
    own = (await company.alice.post("/plans", json=body)).json()["id"]
    assert (await company.hugo.post(f"/plans/{own}/agree")).status_code == 200
    asked = {"goals": weighed([goal], "100"), "changes": [{"goal": goal, "title": "Answer within a month"}]}
    refused(await company.hugo.post(f"/plans/{own}/amendments", json=WHY | asked), 403, "problem:forbidden")
    path = await amendment(company.alice, own, **asked)
    refused(await company.hugo.post(f"{path}/approve"), 403, "problem:forbidden")
    assert (await company.shown(company.alice, goal))["title"] == "Answer within a day"
