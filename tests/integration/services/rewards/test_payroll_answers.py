"""Payroll's answers as the feed brings them: once, never against each other, and to the minor unit."""

from datetime import date

from shared.eventsourcing.identifiers import derived
from shared.schemas.event import Event
from shared.schemas.identifiers import PaymentId, PersonId
from tests.integration.people.company import record
from tests.integration.services.rewards.company import (
    ANN,
    MERIT,
    MIRA,
    Company,
    accepted,
    answer_record,
    no,
    paid,
    refused,
    yes,
)
from tests.unit.services.rewards.examples import usd

MINOR = 180_000
UNKNOWN = PaymentId(derived("payment", "of nobody"))


def sums(reconciled: dict[str, object]) -> dict[str, int]:
    [line] = reconciled["currencies"]  # pyright: ignore[reportGeneralTypeIssues] - JSON
    return {name: line[name] for name in ("issued", "accepted", "rejected", "pending", "paid")}


def mismatches(reconciled: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(mismatch["reason"], mismatch["detail"]) for mismatch in reconciled["mismatches"]]


async def test_what_payroll_has_paid_is_granted(company: Company) -> None:
    reward, payment = await company.approved()
    await company.payroll_said(yes(payment))
    assert (await company.shown(reward))["status"] == "approved"
    await company.payroll_said(paid(payment))
    assert (await company.shown(reward))["status"] == "granted"
    reconciled = await company.reconciled()
    assert (reconciled["difference"], reconciled["mismatches"]) == (0, [])
    assert sums(reconciled) == {"issued": MINOR, "accepted": MINOR, "rejected": 0, "pending": 0, "paid": MINOR}


async def test_answers_in_one_batch_and_again_from_the_beginning_are_recorded_once(company: Company) -> None:
    _, payment = await company.approved()
    answers = (yes(payment), yes(payment), paid(payment), paid(payment))
    await company.payroll_said(*answers)
    stored = await company.events()
    await company.payroll_said(*answers)
    assert await company.events() == stored
    assert await company.events("payment-%") == ["PaymentInstructionIssued", "PaymentAnswered", "PaymentAnswered"]


async def test_a_read_model_that_is_behind_lets_no_answer_through_twice(company: Company) -> None:
    _, payment = await company.approved()
    feed = company.service.runtime.service.feeds(company.service.runtime)[-1]
    for _ in range(2):
        await feed.apply(company.service.runtime.engine, [answer_record(yes(payment))])
    assert await company.events("payment-%") == ["PaymentInstructionIssued", "PaymentAnswered"]


async def test_a_rejected_payment_is_issued_again_with_the_facts_of_now(company: Company) -> None:
    reward, payment = await company.approved()
    reissue = f"/payments/{payment}/reissue"
    await refused(company.pat.post(reissue, json={}), 409, "rule:only-a-rejected-payment-can-be-reissued")
    await company.payroll_said(no(payment))
    assert sums(await company.reconciled())["rejected"] == MINOR
    await company.service.knows([record(ANN, MIRA, revision=2, pay_group="US-WEEKLY")])
    answer = await accepted(company.pat.post(reissue, json={"pay_date": "2026-03-27"}))
    assert answer["version"] == 3
    await company.payroll_said(yes(payment, 2), paid(payment, 2))
    assert (await company.shown(reward))["status"] == "granted"
    reconciled = await company.reconciled()
    assert (reconciled["difference"], reconciled["mismatches"]) == (0, [])
    assert sums(reconciled) == {"issued": MINOR, "accepted": MINOR, "rejected": 0, "pending": 0, "paid": MINOR}
    async with company.service.runtime.engine.connect() as connection:
        query = "select pay_group, pay_date, amount from issued_payments where version = 2"
        assert [tuple(row) for row in await connection.exec_driver_sql(query)] == [
            ("US-WEEKLY", date(2026, 3, 27), MINOR)
        ]
    assert await company.budget() == ("0.00", MERIT, "8200.00"), "paid once, spent once"


async def test_hr_and_payroll_alone_issue_again(company: Company) -> None:
    _, payment = await company.approved()
    await company.payroll_said(no(payment))
    await refused(company.clara.post(f"/payments/{payment}/reissue", json={}), 404, "problem:not-found")
    await refused(company.pat.post(f"/payments/{UNKNOWN}/reissue", json={}), 404, "problem:not-found")
    await accepted(company.hanna.post(f"/payments/{payment}/reissue", json={}))


async def test_a_contradiction_is_listed_and_never_applied(company: Company) -> None:
    reward, payment = await company.approved()
    await company.payroll_said(no(payment), paid(payment), paid(payment))
    assert (await company.shown(reward))["status"] == "approved"
    reconciled = await company.reconciled()
    assert reconciled["difference"] == 0
    assert mismatches(reconciled) == [("answer-refused", "paid v1: payment-is-already-rejected")]


async def test_other_money_than_was_issued_is_listed_and_grants_nothing(company: Company) -> None:
    """As after a restore, when payroll has paid what rewards has forgotten, and issued anew with another amount."""
    reward, payment = await company.approved()
    await company.payroll_said(yes(payment), paid(payment).model_copy(update={"amount": usd("1800.01")}))
    assert (await company.shown(reward))["status"] == "approved"
    reconciled = await company.reconciled()
    assert mismatches(reconciled) == [("answer-refused", "paid v1: amount-is-not-as-issued")]
    assert sums(reconciled)["paid"] == 0


async def test_what_was_paid_and_comes_again_with_other_money_is_listed(company: Company) -> None:
    reward, payment = await company.approved()
    right = paid(payment)
    await company.payroll_said(yes(payment), right.model_copy(update={"amount": usd("1800.00")}), right)
    stored = await company.events()
    await company.payroll_said(right.model_copy(update={"amount": usd("1800.00")}))
    assert await company.events() == stored
    await company.payroll_said(right.model_copy(update={"amount": usd("1800.01")}))
    assert (await company.shown(reward))["status"] == "granted"
    assert mismatches(await company.reconciled()) == [("answer-refused", "paid v1: amount-is-not-as-issued")]


async def test_other_money_after_an_answer_that_came_too_early_is_what_is_listed(company: Company) -> None:
    _, payment = await company.approved()
    early = ("answer-refused", "accepted v2: version-was-never-issued")
    await company.payroll_said(no(payment), yes(payment, 2))
    assert mismatches(await company.reconciled()) == [early]
    await accepted(company.pat.post(f"/payments/{payment}/reissue", json={}))
    await company.payroll_said(yes(payment, 2))
    assert mismatches(await company.reconciled()) == [early], "it may have been of other money"
    await company.payroll_said(yes(payment, 2).model_copy(update={"amount": usd("1800.01")}))
    assert mismatches(await company.reconciled()) == [("answer-refused", "accepted v2: amount-is-not-as-issued")]


async def test_a_rejected_version_that_is_paid_after_all_is_listed(company: Company) -> None:
    reward, payment = await company.approved()
    await company.payroll_said(no(payment))
    await accepted(company.pat.post(f"/payments/{payment}/reissue", json={}))
    await company.payroll_said(no(payment), paid(payment))
    assert (await company.shown(reward))["status"] == "approved"
    assert mismatches(await company.reconciled()) == [("answer-refused", "paid v1: version-was-rejected")]


async def test_an_answer_to_what_was_never_issued_is_listed(company: Company) -> None:
    _, payment = await company.approved()
    await company.payroll_said(yes(UNKNOWN), yes(payment, 2))
    assert sorted(mismatches(await company.reconciled())) == [
        ("answer-refused", "accepted v1: payment-was-never-issued"),
        ("answer-refused", "accepted v2: version-was-never-issued"),
    ]


async def test_paid_before_accepted_is_a_difference_until_the_acceptance_comes(company: Company) -> None:
    _, payment = await company.approved()
    await company.payroll_said(paid(payment))
    reconciled = await company.reconciled()
    assert (reconciled["difference"], mismatches(reconciled)[0][0]) == (MINOR, "paid-but-not-accepted")
    await company.payroll_said(yes(payment))
    reconciled = await company.reconciled()
    assert (reconciled["difference"], reconciled["mismatches"]) == (0, [])


async def test_a_reconciliation_is_for_hr_and_payroll(company: Company) -> None:
    await refused(company.clara.get("/reconciliation"), 404, "problem:not-found")
    assert (await accepted(company.hanna.get("/reconciliation")))["difference"] == 0


async def test_a_type_that_payroll_adds_later_says_nothing(company: Company) -> None:
    class InstructionQueued(Event):
        event_type = "trellis.payroll.InstructionQueued.v1"
        payment_id: PaymentId
        person: PersonId

    _, payment = await company.approved()
    stored = await company.events()
    await company.payroll_said(InstructionQueued(payment_id=payment, person=ANN))
    assert await company.events() == stored
