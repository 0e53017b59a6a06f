"""Rules of a payment: issued once, answered once a version, issued again only after a rejection."""

from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.payment import (
    PAYMENT,
    IssuePayment,
    PaymentCommand,
    RecordPayrollAnswer,
    ReissuePayment,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.money import Money
from shared.schemas.rewards import (
    TYPES,
    PayComponent,
    PaymentAnswered,
    PaymentAnswerRefused,
    PaymentInstructionIssued,
    PayrollAnswer,
)
from shared.schemas.values import ShortText
from tests.spec import given
from tests.unit.services.rewards.examples import (
    ANN,
    HR,
    NOW,
    PAYMENT_ID,
    REWARD_ID,
    accepted_answer,
    amounts,
    answer_refused,
    approval,
    issued,
    paid_answer,
    reissued,
    rejected_answer,
    usd,
    words,
)

issue = IssuePayment(
    payment=PAYMENT_ID,
    reward=REWARD_ID,
    person=ANN,
    legal_entity="US01",
    pay_group="US-MONTHLY",
    components=(
        PayComponent(earning_code="MERIT", amount=usd("1800.00")),
        PayComponent(earning_code="MERIT-LUMP", amount=usd("0.00")),
    ),
    pay_date=date(2026, 2, 27),
    coverage_start=date(2025, 1, 1),
    coverage_end=date(2025, 12, 31),
    reason_code="ANNUAL-MERIT",
    cost_allocation="CC-1000",
    approvals=(approval,),
    at=NOW,
    by=HR,
)
reissue = ReissuePayment(legal_entity="US01", pay_group="US-WEEKLY", at=NOW, by=HR)


def record(
    answer: PayrollAnswer,
    version: int = 1,
    *,
    amount: Money | None = None,
    code: ShortText | None = None,
    pay_date: date | None = None,
    run_reference: ShortText | None = None,
) -> RecordPayrollAnswer:
    return RecordPayrollAnswer(
        payment=PAYMENT_ID,
        version=version,
        answer=answer,
        amount=amount,
        code=code,
        pay_date=pay_date,
        run_reference=run_reference,
        at=NOW,
        by=HR,
    )


ACCEPTED = record(PayrollAnswer.ACCEPTED)
REJECTED = record(PayrollAnswer.REJECTED, code="unknown-pay-group")
PAID = record(PayrollAnswer.PAID, pay_date=date(2026, 2, 27), run_reference="2026-02/US-MONTHLY")


def refusal(answer: PayrollAnswer, reason: str, version: int = 1) -> PaymentAnswerRefused:
    return PaymentAnswerRefused(payment_id=PAYMENT_ID, version=version, answer=answer, reason=reason)


def test_a_payment_is_issued_as_version_1_without_empty_components() -> None:
    given(PAYMENT).when(issue).then(issued)


def test_an_increase_and_a_lump_sum_add_up() -> None:
    parts = (
        PayComponent(earning_code="MERIT", amount=usd("1000.00")),
        PayComponent(earning_code="MERIT-LUMP", amount=usd("2950.00")),
    )
    given(PAYMENT).when(issue.model_copy(update={"components": parts})).then(
        issued.model_copy(update={"components": parts, "amount": usd("3950.00")})
    )


def test_issuing_again_changes_nothing() -> None:
    given(PAYMENT, issued).when(issue).then_nothing()


def test_a_payment_of_nothing_is_refused() -> None:
    nothing = (PayComponent(earning_code="MERIT", amount=usd("0.00")),)
    given(PAYMENT).when(issue.model_copy(update={"components": nothing})).then_rejected("amount-must-be-positive")


def test_a_payment_has_one_currency() -> None:
    mixed = (
        PayComponent(earning_code="MERIT", amount=usd("1.00")),
        PayComponent(earning_code="MERIT-LUMP", amount=Money.from_minor(1, "EUR")),
    )
    given(PAYMENT).when(issue.model_copy(update={"components": mixed})).then_rejected("payment-must-have-one-currency")


def test_payroll_accepts_then_pays() -> None:
    given(PAYMENT, issued).when(ACCEPTED).then(accepted_answer)
    given(PAYMENT, issued, accepted_answer).when(PAID).then(paid_answer)


def test_payroll_rejects_with_a_code() -> None:
    given(PAYMENT, issued).when(REJECTED).then(rejected_answer)


def test_an_answer_that_comes_again_adds_nothing() -> None:
    given(PAYMENT, issued, accepted_answer).when(ACCEPTED).then_nothing()
    given(PAYMENT, issued, rejected_answer).when(REJECTED).then_nothing()
    given(PAYMENT, issued, accepted_answer, paid_answer).when(PAID).then_nothing()


def test_an_acceptance_that_arrives_after_the_payment_is_a_fact_too() -> None:
    given(PAYMENT, issued).when(PAID).then(paid_answer)
    given(PAYMENT, issued, paid_answer).when(ACCEPTED).then(accepted_answer)


def test_after_a_rejection_a_new_version_is_issued() -> None:
    given(PAYMENT, issued, rejected_answer).when(reissue).then(reissued)


def test_a_corrected_pay_date_is_used() -> None:
    later = reissue.model_copy(update={"pay_date": date(2026, 3, 27)})
    given(PAYMENT, issued, rejected_answer).when(later).then(
        reissued.model_copy(update={"pay_date": date(2026, 3, 27)})
    )


def test_only_a_rejected_payment_is_issued_again() -> None:
    given(PAYMENT).when(reissue).then_rejected("only-a-rejected-payment-can-be-reissued")
    given(PAYMENT, issued).when(reissue).then_rejected("only-a-rejected-payment-can-be-reissued")
    given(PAYMENT, issued, accepted_answer).when(reissue).then_rejected("only-a-rejected-payment-can-be-reissued")
    given(PAYMENT, issued, rejected_answer, reissued).when(reissue).then_rejected(
        "only-a-rejected-payment-can-be-reissued"
    )


def test_the_rejection_of_an_older_version_is_nothing_new() -> None:
    given(PAYMENT, issued, rejected_answer, reissued).when(REJECTED).then_nothing()


def test_an_older_version_that_is_paid_after_all_is_on_record() -> None:
    refused = refusal(PayrollAnswer.PAID, "version-was-rejected")
    given(PAYMENT, issued, rejected_answer, reissued).when(PAID).then(refused)
    given(PAYMENT, issued, rejected_answer, reissued, refused).when(PAID).then_nothing()


def test_the_new_version_is_answered_for_itself() -> None:
    second = record(PayrollAnswer.ACCEPTED, version=2)
    given(PAYMENT, issued, rejected_answer, reissued).when(second).then(
        accepted_answer.model_copy(update={"version": 2})
    )


def test_an_answer_to_a_payment_that_was_never_issued_is_on_record_once() -> None:
    given(PAYMENT).when(PAID).then(answer_refused)
    given(PAYMENT, answer_refused).when(PAID).then_nothing()


def test_an_answer_that_came_before_its_payment_was_issued_is_taken_when_it_comes_again() -> None:
    """As after a restore: payroll has answered what rewards has forgotten, and issues anew."""
    given(PAYMENT, answer_refused, issued).when(PAID).then(paid_answer)


def test_an_answer_to_a_version_that_was_never_issued_is_on_record() -> None:
    given(PAYMENT, issued).when(record(PayrollAnswer.PAID, version=2)).then(
        refusal(PayrollAnswer.PAID, "version-was-never-issued", version=2)
    )


def test_payroll_contradicting_itself_is_on_record() -> None:
    given(PAYMENT, issued, accepted_answer).when(REJECTED).then(
        refusal(PayrollAnswer.REJECTED, "payment-is-already-accepted")
    )
    given(PAYMENT, issued, rejected_answer).when(PAID).then(refusal(PayrollAnswer.PAID, "payment-is-already-rejected"))
    given(PAYMENT, issued, accepted_answer, paid_answer).when(REJECTED).then(
        refusal(PayrollAnswer.REJECTED, "payment-is-already-paid")
    )


@pytest.mark.parametrize("answer", [PayrollAnswer.ACCEPTED, PayrollAnswer.PAID])
def test_other_money_than_was_issued_is_on_record_once_and_no_answer(answer: PayrollAnswer) -> None:
    other = record(answer, amount=usd("1800.01"))
    refused = refusal(answer, "amount-is-not-as-issued")
    given(PAYMENT, issued).when(other).then(refused)
    given(PAYMENT, issued, refused).when(other).then_nothing()


@pytest.mark.parametrize(("answer", "before"), [(PayrollAnswer.ACCEPTED, ()), (PayrollAnswer.PAID, (paid_answer,))])
def test_an_answer_that_comes_again_with_other_money_is_on_record(
    answer: PayrollAnswer, before: tuple[Event, ...]
) -> None:
    other = record(answer, amount=usd("1800.01"))
    refused = refusal(answer, "amount-is-not-as-issued")
    given(PAYMENT, issued, accepted_answer, *before).when(other).then(refused)
    given(PAYMENT, issued, accepted_answer, *before, refused).when(other).then_nothing()


def test_an_answer_that_came_before_its_payment_is_refused_anew_for_other_money() -> None:
    other = record(PayrollAnswer.PAID, amount=usd("1800.01"), pay_date=date(2026, 2, 27), run_reference="2026-02")
    given(PAYMENT, answer_refused, issued).when(other).then(refusal(PayrollAnswer.PAID, "amount-is-not-as-issued"))


def test_the_money_that_was_issued_is_taken_also_after_other_money_was_named() -> None:
    refused = refusal(PayrollAnswer.ACCEPTED, "amount-is-not-as-issued")
    accepted = record(PayrollAnswer.ACCEPTED, amount=issued.amount)
    given(PAYMENT, issued).when(accepted).then(accepted_answer)
    given(PAYMENT, issued, refused).when(accepted).then(accepted_answer)


answers = st.sampled_from([PayrollAnswer.ACCEPTED, PayrollAnswer.REJECTED, PayrollAnswer.PAID])
versions = st.integers(min_value=1, max_value=3)


def instruction(version: int, amount: Money, pay_group: str) -> PaymentInstructionIssued:
    return issued.model_copy(update={"version": version, "amount": amount, "pay_group": pay_group.strip()})


events = st.one_of(
    st.builds(instruction, versions, amounts, words),
    st.builds(
        PaymentAnswered,
        payment_id=st.just(PAYMENT_ID),
        version=versions,
        answer=answers,
        code=st.none() | words.map(str.strip),
        pay_date=st.none() | st.dates(),
        run_reference=st.none() | words.map(str.strip),
    ),
    st.builds(
        PaymentAnswerRefused,
        payment_id=st.just(PAYMENT_ID),
        version=versions,
        answer=answers,
        reason=words.map(str.strip),
    ),
)
repeatable = st.one_of(st.just(issue), st.builds(record, answers, versions))


@for_all(events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, Event)
    assert encode(read) == stored


@for_all(st.lists(events, max_size=10))
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    PAYMENT.fold(history)


@for_all(st.lists(events, max_size=6), repeatable)
def test_deciding_twice_adds_nothing(history: list[Event], command: PaymentCommand) -> None:
    """Re-issuing apart, which the second time is refused: the new version is not rejected."""
    state = PAYMENT.fold(history)
    try:
        state = PAYMENT.fold(PAYMENT.decide(state, command), state)
    except Rejected:
        return
    assert list(PAYMENT.decide(state, command)) == []
