"""What goals are measured by, and what the goals below them weigh, over HTTP."""

import asyncio
from typing import Any

from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, HUGO, Company


async def team_goal(company: Company, **body: Any) -> str:
    return await company.goal(company.hugo, HUGO, level="team", team="Support", **body)


async def test_a_goal_in_zones_is_measured_and_a_late_value_moves_nothing(company: Company) -> None:
    zones = {"fail": "20", "commit": "35", "target": "45", "stretch": "60"}
    goal = await company.goal(company.alice, ALICE, metric={"kind": "zones", "zones": zones})
    assert (await company.shown(company.alice, goal))["progress"] is None
    recorded = await company.alice.post(
        f"/goals/{goal}/progress", json={"value": "40", "measured_at": "2026-03-31T10:00:00Z"}
    )
    assert recorded.status_code == 200, recorded.text
    await company.alice.post(f"/goals/{goal}/progress", json={"value": "60", "measured_at": "2026-03-30T10:00:00Z"})
    seen = await company.shown(company.alice, goal)
    assert (seen["value"], seen["progress"], seen["version"]) == ("40", "50.00", 3)
    assert seen["metric"]["zones"] == zones


async def test_a_goal_that_keeps_a_bound_shows_the_share_of_periods(company: Company) -> None:
    keep = {"least": "95", "period": "month"}
    goal = await company.goal(company.alice, ALICE, metric={"kind": "keep", "unit": "%", "keep": keep})
    for value, day in (("96", "2026-01-31"), ("90", "2026-02-28"), ("99", "2026-01-30")):
        answer = {"value": value, "measured_at": f"{day}T10:00:00Z"}
        assert (await company.alice.post(f"/goals/{goal}/progress", json=answer)).status_code == 200
    seen = await company.shown(company.alice, goal)
    assert (seen["value"], seen["progress"], seen["raw_progress"]) == ("90", "50.00", "50.00")


async def test_a_measurement_of_the_future_is_refused(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    refused(
        await company.alice.post(f"/goals/{goal}/progress", json={"value": "5", "measured_at": "2999-01-01T00:00:00Z"}),
        409,
        "rule:progress-must-not-be-measured-in-the-future",
    )


async def test_the_source_of_a_goals_progress_is_chosen(company: Company) -> None:
    team = await team_goal(company)
    below = await company.goal(company.hugo, ALICE, parent=team)
    await company.alice.post(f"/goals/{below}/progress", json={"value": "5"})
    assert (await company.shown(company.hugo, team))["progress"] == "0.00"
    chosen = await company.hugo.post(f"/goals/{team}/measure", json={"measured_by": "children"})
    assert chosen.status_code == 200, chosen.text
    assert "record-progress" not in chosen.json()["allowed_actions"]
    seen = await company.shown(company.hugo, team)
    assert (seen["progress"], seen["own_progress"], seen["measured_by"]) == ("50.00", "0.00", "children")
    refused(
        await company.hugo.post(f"/goals/{team}/progress", json={"value": "5"}),
        409,
        "rule:goal-is-measured-by-the-goals-below-it",
    )
    refused(
        await company.hugo.post(f"/goals/{team}/measure", json={"measured_by": "manual"}),
        409,
        "rule:measure-must-fit-the-metric",
    )
    refused(await company.eve.post(f"/goals/{team}/measure", json={"measured_by": "metric"}), 403, "problem:forbidden")


async def test_a_goal_measured_by_those_below_it_closes_with_what_was_shown(company: Company) -> None:
    team = await team_goal(company, metric=None)
    below = await company.goal(company.hugo, ALICE, parent=team)
    await company.alice.post(f"/goals/{below}/progress", json={"value": "5"})
    assert (await company.shown(company.hugo, team))["progress"] == "50.00"
    assert (await company.hugo.post(f"/goals/{team}/achieve", json={"closed_on": "2026-12-31"})).status_code == 200
    await company.alice.post(f"/goals/{below}/progress", json={"value": "0"})
    seen = await company.shown(company.hugo, team)
    assert (seen["state"], seen["progress"]) == ("achieved", "50.00")


async def test_a_manual_percentage_is_said(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE, metric=None, measured_by="manual")
    assert (await company.alice.post(f"/goals/{goal}/progress", json={"value": "40"})).status_code == 200
    seen = await company.shown(company.alice, goal)
    assert (seen["progress"], seen["value"], seen["metric"]) == ("40.00", "40", None)


async def two_below(company: Company, team: str) -> tuple[str, str]:
    alices = await company.goal(company.hugo, ALICE, parent=team)
    bobs = await company.goal(company.hugo, BOB, parent=team)
    await company.alice.post(f"/goals/{alices}/progress", json={"value": "0"})
    return alices, bobs


async def test_the_goals_below_are_weighed_by_hand_or_all_equally(company: Company) -> None:
    team = await team_goal(company, metric=None)
    alices, bobs = await two_below(company, team)
    assert (await company.shown(company.hugo, team))["progress"] == "50.00"
    document = refused(
        await company.hugo.post(f"/goals/{bobs}/align", json={"parent": team, "weight": "3"}),
        409,
        "rule:weights-must-be-all-by-hand-or-all-equal",
    )
    assert document["values"] == {"parent": team, "weight_by_hand": True, "siblings_by_hand": False}

    weights = [{"goal": alices, "weight": "1"}, {"goal": bobs, "weight": "3"}]
    refused(
        await company.hugo.post(f"/goals/{team}/weights", json={"weights": weights[:1]}),
        409,
        "rule:weights-must-name-each-goal-below-once",
    )
    weighed = await company.hugo.post(f"/goals/{team}/weights", json={"weights": weights})
    assert weighed.status_code == 200, weighed.text
    assert (await company.shown(company.hugo, team))["progress"] == "25.00"
    assert (await company.shown(company.hugo, bobs))["weight_by_hand"]
    refused(
        await company.hugo.post(f"/goals/{await company.goal(company.hugo, BOB)}/align", json={"parent": team}),
        409,
        "rule:weights-must-be-all-by-hand-or-all-equal",
    )

    assert (await company.hugo.post(f"/goals/{team}/weights", json={"weights": []})).status_code == 200
    assert (await company.shown(company.hugo, team))["progress"] == "50.00"
    refused(await company.eve.post(f"/goals/{team}/weights", json={"weights": []}), 403, "problem:forbidden")


async def test_a_cancelled_goal_no_longer_says_how_its_siblings_are_weighed(company: Company) -> None:
    team = await team_goal(company, metric=None)
    by_hand = await company.goal(company.hugo, ALICE, parent=team, weight="3")
    await company.hugo.post(f"/goals/{by_hand}/cancel", json={"reason": "merged"})
    equal = await company.goal(company.hugo, BOB, parent=team)
    assert (await company.hugo.post(f"/goals/{team}/weights", json={"weights": []})).status_code == 200
    weighed = await company.hugo.post(f"/goals/{team}/weights", json={"weights": [{"goal": equal, "weight": "0"}]})
    assert weighed.status_code == 200, weighed.text


async def test_two_that_come_at_once_are_not_weighed_each_its_own_way(company: Company) -> None:
    for _ in range(5):
        team = await team_goal(company, metric=None)
        goals = [await company.goal(company.hugo, person) for person in (ALICE, BOB)]
        answers = await asyncio.gather(
            company.hugo.post(f"/goals/{goals[0]}/align", json={"parent": team}),
            company.hugo.post(f"/goals/{goals[1]}/align", json={"parent": team, "weight": "2"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
