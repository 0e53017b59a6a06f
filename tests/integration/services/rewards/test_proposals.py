"""A completed review leads to a proposal, to the reason why there is none, or waits for what is not known yet."""

from shared.eventsourcing.identifiers import derived
from shared.schemas.identifiers import PersonId, ReviewCycleId
from tests.integration.people.company import record
from tests.integration.services.rewards.company import ANN, BOB, CYCLE, MERIT, MIRA, Company, reward_of


async def test_a_rating_becomes_a_proposal_and_its_budget_is_reserved(company: Company) -> None:
    [reward] = await company.proposed(ANN)
    shown = await company.shown(reward)
    assert (shown["status"], shown["amount"]["amount"], shown["rating"], shown["percent"]) == (
        "proposed",
        MERIT,
        "4.00",
        "3",
    )
    assert (shown["person"], shown["nominated_by"], shown["cycle"]) == (str(ANN), str(MIRA), str(CYCLE))
    assert await company.budget() == (MERIT, "0.00", "8200.00")


async def test_the_same_review_read_again_proposes_nothing_more(company: Company) -> None:
    await company.proposed(ANN)
    await company.reviewed(ANN)
    assert await company.events("reward-%") == ["RewardProposed"]
    assert await company.budget() == (MERIT, "0.00", "8200.00")


async def test_without_a_rating_the_catch_all_row_decides(company: Company) -> None:
    await company.opened()
    await company.paid_well(ANN)
    [reward] = await company.reviewed(ANN, overall=None)
    shown = await company.shown(reward)
    assert (shown["status"], shown["reason"], shown["amount"]) == ("not-proposed", "nothing-to-award", None)
    assert await company.budget() == ("0.00", "0.00", "10000.00")


async def test_without_a_program_the_reason_is_kept_and_no_pay_is_asked_for(company: Company) -> None:
    cycle = ReviewCycleId(derived("cycle", "without a program"))
    [reward] = await company.reviewed(ANN, cycle=cycle)
    assert (await company.shown(reward))["reason"] == "no-open-program"
    assert await company.waiting() == []


async def test_a_proposal_waits_for_the_pay_and_then_comes(company: Company) -> None:
    await company.opened()
    await company.paid_well(BOB)
    await company.reviewed(ANN, BOB)
    assert await company.waiting() == [f"compensation:{ANN}"]
    assert (await company.shown(reward_of(BOB)))["status"] == "proposed"
    await company.tried_again()
    assert await company.waiting() == [f"compensation:{ANN}"]
    await company.paid_well(ANN)
    await company.tried_again()
    assert await company.waiting() == []
    assert (await company.shown(reward_of(ANN)))["amount"]["amount"] == MERIT


async def test_a_proposal_waits_for_the_person_and_then_comes(company: Company) -> None:
    newcomer = PersonId(derived("person", "nina"))
    await company.opened()
    await company.paid_well(newcomer)
    await company.reviewed(newcomer)
    assert await company.waiting() == [f"person:{newcomer}"]
    await company.service.knows([record(newcomer, MIRA)])
    await company.tried_again()
    assert (await company.shown(reward_of(newcomer)))["status"] == "proposed"


async def test_a_proposal_that_the_pool_cannot_hold_is_made_and_its_refusal_kept(company: Company) -> None:
    await company.proposed(ANN, BOB, budget="2000.00")
    assert await company.budget() == (MERIT, "0.00", "200.00")
    assert await company.events("pool-%") == ["BudgetPoolOpened", "BudgetReserved", "BudgetRefused"]
    assert (await company.shown(reward_of(BOB)))["status"] == "proposed"
