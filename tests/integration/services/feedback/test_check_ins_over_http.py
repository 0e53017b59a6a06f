"""Check-ins over HTTP: recorded by a manager in the reporting line, notes private or shared."""

from typing import Any

from shared.runtime.clock import now
from tests.integration.services.feedback.conftest import BOB, CARL, Company
from tests.integration.services.feedback.test_feedback_over_http import refused


def with_bob(**body: Any) -> dict[str, Any]:
    return {"person": str(BOB), "held_on": "2026-03-02", "notes": "Wants to learn the billing code."} | body


async def test_shared_notes_are_for_both_and_private_ones_for_the_manager(company: Company) -> None:
    for day, shared in (("2026-03-02", True), ("2026-03-09", False)):
        answer = await company.carl.post("/check-ins", json=with_bob(held_on=day, shared=shared))
        assert (answer.status_code, answer.json()["state"]) == (201, "held")
    await company.settled()
    by_carl = (await company.carl.get("/check-ins")).json()["items"]
    by_bob = (await company.bob.get("/check-ins")).json()["items"]
    notes = with_bob()["notes"]
    assert [(c["held_on"], c["notes"]) for c in by_carl] == [("2026-03-09", notes), ("2026-03-02", notes)]
    assert [(c["held_on"], c["notes"]) for c in by_bob] == [("2026-03-09", None), ("2026-03-02", notes)]
    private = (await company.bob.get(f"/check-ins/{by_bob[0]['id']}")).json()
    assert (private["manager"], private["notes"]) == (str(CARL), None)


async def test_a_check_in_without_notes_says_that_it_was_held(company: Company) -> None:
    answer = await company.dana.post("/check-ins", json=with_bob(notes=None))
    await company.settled()
    shown = await company.bob.get(answer.headers["Location"].removeprefix("/feedback/v1"))
    assert (shown.status_code, shown.json()["notes"], shown.json()["goals"]) == (200, None, [])


async def test_only_a_manager_above_the_person_records_one(company: Company) -> None:
    for stranger in (company.eve, company.alice, company.hr):
        await refused(await stranger.post("/check-ins", json=with_bob()), 403, "problem:forbidden")


async def test_nobody_else_sees_it(company: Company) -> None:
    identity = (await company.carl.post("/check-ins", json=with_bob(shared=True))).json()["id"]
    await company.settled()
    for stranger in (company.eve, company.alice, company.dana):
        await refused(await stranger.get(f"/check-ins/{identity}"), 404, "problem:not-found")
        assert (await stranger.get("/check-ins")).json()["items"] == []


async def test_with_oneself_and_in_the_future_are_refused_by_name(company: Company) -> None:
    with_oneself = await company.carl.post("/check-ins", json=with_bob(person=str(CARL)))
    await refused(with_oneself, 409, "rule:check-in-is-not-with-oneself")
    next_year = f"{now().year + 1}-01-01"
    problem = await refused(
        await company.carl.post("/check-ins", json=with_bob(held_on=next_year)),
        409,
        "rule:check-in-is-not-in-the-future",
    )
    assert problem["values"]["held_on"] == next_year


async def test_pages_lead_through_everything_once(company: Company) -> None:
    for day in range(1, 6):
        await company.carl.post("/check-ins", json=with_bob(held_on=f"2026-03-0{day}"))
    await company.settled()
    first = (await company.bob.get("/check-ins", params={"limit": 3})).json()
    second = (await company.bob.get("/check-ins", params={"limit": 3, "cursor": first["next"]})).json()
    days = [c["held_on"][-1] for c in first["items"] + second["items"]]
    assert (days, second["next"]) == (["5", "4", "3", "2", "1"], None)
