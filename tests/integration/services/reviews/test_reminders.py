"""Deadlines of a policy, in the service: who has not taken a step is reminded when its last day begins, once."""

from datetime import UTC, datetime
from typing import Any

from shared.eventsourcing.firing import TimerRunner
from tests.integration.services.reviews.company import ANN, BOB, FORM, OWN_FORM, POLICY, Company, accepted, refused

DEADLINES = {"self_assessment": "2026-11-15", "manager_assessment": "2026-11-30", "zone": "Europe/Berlin"}
SELF_DUE = datetime(2026, 11, 14, 23, tzinfo=UTC)
MANAGERS_DUE = datetime(2026, 11, 29, 23, tzinfo=UTC)


async def fire(company: Company, at: datetime) -> int:
    """How many reminders there are at this time, once the service's events so far have been read."""
    runtime = company.service.runtime
    await company.settled()
    assert runtime.timers is not None
    firing = TimerRunner(runtime.handler, runtime.timers, lambda: at)
    await firing.fire_due()
    await company.settled()
    return firing.counts.fired


async def opened(company: Company, **deadlines: Any) -> str:
    return await company.opened(policy={**POLICY, "deadlines": {**DEADLINES, **deadlines}})


async def inbox(client: Any) -> dict[str, tuple[str | None, bool]]:
    """Each step's last day, and whether it was reminded of, by step and person."""
    items = (await client.get("/inbox")).json()["items"]
    return {f"{i['step']} {i['person']}": (i["due_on"], i["reminded_at"] is not None) for i in items}


async def test_who_has_not_taken_a_step_is_reminded_when_its_last_day_begins(company: Company) -> None:
    await opened(company)
    everybody = len(company.reviews)
    await accepted(company.ann.post(f"{company.review()}/self-assessment", json=OWN_FORM))
    assert await fire(company, datetime(2026, 11, 14, 22, 59, tzinfo=UTC)) == 0
    assert (await inbox(company.bob))[f"self-assessment {BOB}"] == ("2026-11-15", False)
    assert await fire(company, SELF_DUE) == everybody - 1
    assert (await inbox(company.bob))[f"self-assessment {BOB}"] == ("2026-11-15", True)

    await company.begun(BOB)
    await accepted(company.carl.post(f"{company.review(BOB)}/manager-assessment", json=FORM))
    assert await fire(company, MANAGERS_DUE) == everybody - 1
    assert (await inbox(company.carl))[f"manager-assessment {ANN}"] == ("2026-11-30", True)
    assert await fire(company, MANAGERS_DUE) == 0


async def test_a_reminder_leaves_the_review_as_it_is_and_its_version_known(company: Company) -> None:
    await opened(company)
    await fire(company, SELF_DUE)
    answer = await company.ann.get(company.review())
    assert (answer.json()["state"], answer.headers["ETag"]) == ("opened", '"2"')
    matching = {"If-Match": answer.headers["ETag"]}
    await accepted(company.ann.post(f"{company.review()}/self-assessment", json=OWN_FORM, headers=matching))


async def test_in_a_closed_cycle_nobody_is_reminded(company: Company) -> None:
    cycle = await opened(company)
    await company.settled()
    await accepted(company.hanna.post(f"/cycles/{cycle}/close", json={"reason": "done"}))
    assert await fire(company, MANAGERS_DUE) == 0


async def test_without_deadlines_nobody_is_reminded(company: Company) -> None:
    await company.opened()
    assert await fire(company, datetime(2030, 1, 1, tzinfo=UTC)) == 0


async def test_deadlines_that_make_no_sense_are_refused(company: Company) -> None:
    def cycle(**deadlines: Any) -> dict[str, Any]:
        policy = {**POLICY, "deadlines": {**DEADLINES, **deadlines}}
        return {"name": "2026", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "policy": policy}

    backwards = company.hanna.post("/cycles", json=cycle(self_assessment="2026-12-01"))
    await refused(backwards, 409, "rule:self-assessment-is-due-after-the-managers")
    await refused(company.hanna.post("/cycles", json=cycle(zone="Mars/Olympus")), 422, "problem:invalid-request")
