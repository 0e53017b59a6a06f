"""Erasure over HTTP: the person's texts open no more, everything else stays, and the log says who did it."""

from sqlalchemy import text

from tests.integration.services.feedback.conftest import ALICE, BOB, Company, feedback_to
from tests.integration.services.feedback.test_feedback_over_http import refused


async def stored(company: Company) -> list[str]:
    """Everything that the service keeps, in its event store and in its read models, as text."""
    async with company.service.runtime.engine.connect() as connection:
        queries = ("select data from events", "select text from readable_feedback", "select notes from check_ins")
        return [str(value) for query in queries for value in await connection.scalars(text(query))]


async def test_an_erased_persons_texts_show_as_erased_and_others_stay(company: Company) -> None:
    about_bob = await company.given(company.alice)
    about_alice = await company.given(company.bob, ALICE, text="You listen well.")
    await company.carl.post("/check-ins", json={"person": str(BOB), "held_on": "2026-03-02", "notes": "Tired."})
    await company.settled()

    answer = await company.hr.post(f"/persons/{BOB}/erase")
    assert (answer.status_code, answer.json()["state"]) == (200, "erased")
    await company.settled()

    erased = (await company.bob.get(f"/feedback/{about_bob}")).json()
    assert (erased["text"], erased["author"], erased["kind"]) == ("erased", str(ALICE), "praise")
    assert (await company.carl.get("/check-ins")).json()["items"][0]["notes"] == "erased"
    assert (await company.alice.get(f"/feedback/{about_alice}")).json()["text"] == "You listen well."


async def test_erasing_again_changes_nothing(company: Company) -> None:
    first = await company.hr.post(f"/persons/{BOB}/erase")
    second = await company.hr.post(f"/persons/{BOB}/erase")
    assert (second.status_code, second.json()) == (200, first.json())


async def test_nothing_is_written_about_an_erased_person_any_more(company: Company) -> None:
    await company.hr.post(f"/persons/{BOB}/erase")
    answer = await company.alice.post("/feedback", json=feedback_to(BOB))
    problem = await refused(answer, 409, "rule:person-is-erased")
    assert problem["values"] == {"person": str(BOB)}


async def test_only_hr_and_administrators_erase(company: Company) -> None:
    for other in (company.bob, company.carl):
        await refused(await other.post(f"/persons/{BOB}/erase"), 403, "problem:forbidden")


async def test_no_text_is_stored_in_clear(company: Company) -> None:
    await company.given(company.alice, text="A sentence that must not be found.")
    await company.carl.post("/check-ins", json={"person": str(BOB), "held_on": "2026-03-02", "notes": "Nor this one."})
    await company.settled()
    kept = await stored(company)
    assert len(kept) == 4
    assert not [value for value in kept if "must not be found" in value or "Nor this" in value]
