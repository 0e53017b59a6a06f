"""Goals whose last day has ended, in the service: they expire once, are found, and are closed by a person."""

from datetime import UTC, datetime
from typing import Any

from shared.eventsourcing.firing import TimerRunner
from tests.integration.services.goals.conftest import ALICE, OPEN, Company

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


async def fire(company: Company, at: datetime) -> TimerRunner:
    """The timers of the service at this time, once its events so far have been read."""
    runtime = company.service.runtime
    await company.settled()
    assert runtime.timers is not None
    firing = TimerRunner(runtime.handler, runtime.timers, lambda: at)
    await firing.fire_due()
    await company.settled()
    return firing


async def goals(company: Company, **wanted: Any) -> list[str]:
    answer = await company.alice.get("/goals", params={"mine": True, **wanted})
    return [goal["id"] for goal in answer.json()["items"]]


async def test_a_goal_expires_when_its_last_day_has_ended_and_is_still_open_for_closing(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    longer = await company.goal(company.alice, ALICE, ends_on="2027-03-31")
    asked_for_updates = await fire(company, datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert asked_for_updates.counts.fired == 2
    assert await goals(company, expired=True) == []
    assert (await fire(company, NEW_YEAR)).counts.fired == 1
    seen = await company.shown(company.alice, goal)
    assert (seen["state"], seen["expired"], seen["version"]) == ("active", True, 3)
    assert seen["allowed_actions"] == OPEN
    assert (await goals(company, expired=True), await goals(company, expired=False)) == ([goal], [longer])

    closed = await company.hugo.post(f"/goals/{goal}/achieve", json={"value": "0", "closed_on": "2026-12-30"})
    assert closed.status_code == 200
    seen = await company.shown(company.alice, goal)
    assert (seen["state"], seen["expired"]) == ("achieved", False)


async def test_a_closed_goal_does_not_expire(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.settled()
    await company.alice.post(f"/goals/{goal}/cancel", json={"reason": "merged"})
    firing = await fire(company, NEW_YEAR)
    assert (firing.counts.fired, (await company.shown(company.alice, goal))["state"]) == (0, "cancelled")


async def test_a_goal_that_was_opened_again_expires_like_any_other(company: Company) -> None:
    goal = await company.goal(company.alice, ALICE)
    await company.alice.post(f"/goals/{goal}/achieve", json={"value": "0", "closed_on": "2026-11-30"})
    reopened = await company.hugo.post(f"/goals/{goal}/reopen", json={"reason": "closed-too-early"})
    assert reopened.status_code == 200, reopened.text
    await fire(company, datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert not (await company.shown(company.alice, goal))["expired"]
    await fire(company, NEW_YEAR)
    assert (await company.shown(company.alice, goal))["expired"]


async def test_a_goal_with_the_last_day_of_the_calendar_never_expires(company: Company) -> None:
    await company.goal(company.alice, ALICE, ends_on="9999-12-31")
    assert (await fire(company, datetime(9999, 12, 31, tzinfo=UTC))).counts.failed == 0
    assert await goals(company, expired=True) == []
