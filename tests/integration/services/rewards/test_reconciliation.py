"""The reconciliation, asked of the read model on a real PostgreSQL: events in, sums and mismatches out."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections.reconciliation import PROJECTION, CurrencyLine, Mismatch, Reconciliation, reconcile
from shared.eventsourcing.recorded import Recorded
from shared.schemas.money import Money
from shared.schemas.rewards import PaymentAnswered, PaymentAnswerRefused, PayrollAnswer
from tests.integration.services.feedback.published import out_of_phase
from tests.integration.services.rewards.published import (
    approval,
    flattened,
    instruction,
    payment,
    payment_of,
    proposal,
    reward,
    reward_id,
)
from tests.unit.services.rewards.examples import usd

ACCEPTED, REJECTED, PAID = PayrollAnswer
NOTHING = CurrencyLine(currency="USD", approved=0, issued=0, accepted=0, rejected=0, pending=0, paid=0)


def answered(number: int, answer: PayrollAnswer, *, version: int = 1) -> PaymentAnswered:
    return PaymentAnswered(payment_id=payment_of(number), version=version, answer=answer)


def settled() -> list[list[Recorded]]:
    """Pending, accepted, paid, rejected, rejected and issued again; and one in yen."""
    yen = Money.from_minor(150_002, "JPY")
    answers = [[], [ACCEPTED], [ACCEPTED, PAID], [REJECTED]]
    payments = [
        payment(n, instruction(n), *(answered(n, answer) for answer in given)) for n, given in enumerate(answers)
    ]
    payments.append(
        payment(4, instruction(4), answered(4, REJECTED), instruction(4, version=2), answered(4, ACCEPTED, version=2))
    )
    payments.append(payment(5, instruction(5, yen), answered(5, ACCEPTED)))
    rewards = [reward(n, proposal(n), approval(n)) for n in range(5)]
    return [*payments, *rewards, reward(5, proposal(5), approval(5, yen))]


def line(currency: str = "USD", **sums: int) -> CurrencyLine:
    return replace(NOTHING, currency=currency, **sums)


def mismatch(number: int, reason: str, **values: Any) -> Mismatch:
    known = Mismatch(
        payment=payment_of(number),
        reward=reward_id(number),
        reason=reason,
        detail=None,
        currency="USD",
        approved=180_000,
        issued=180_000,
    )
    return replace(known, **values)


async def reconciled(connection: AsyncConnection, *streams: list[Recorded]) -> Reconciliation:
    await PROJECTION.apply(connection, flattened(streams))
    return await reconcile(connection)


async def test_nothing_reconciles_with_nothing(connection: AsyncConnection) -> None:
    assert await reconcile(connection) == Reconciliation([], [])


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_all_is_settled(connection: AsyncConnection, seed: int) -> None:
    for events in out_of_phase(settled(), seed):
        await PROJECTION.apply(connection, events)
    found = await reconcile(connection)
    assert found.currencies == [
        line("JPY", approved=150_002, issued=150_002, accepted=150_002),
        line(approved=900_000, issued=900_000, accepted=540_000, rejected=180_000, pending=180_000, paid=180_000),
    ]
    assert (found.difference, found.mismatches) == (0, [])


async def test_an_approval_that_was_not_issued_is_listed(connection: AsyncConnection) -> None:
    found = await reconciled(connection, reward(1, proposal(1), approval(1)))
    assert found.currencies == [line(approved=180_000)]
    assert found.currencies[0].approved_minus_issued == found.difference == 180_000
    assert found.mismatches == [mismatch(1, "approved-but-not-issued", issued=None)]


async def test_an_instruction_that_nobody_approved_is_listed(connection: AsyncConnection) -> None:
    found = await reconciled(connection, payment(1, instruction(1)))
    assert (found.currencies[0].approved_minus_issued, found.difference) == (-180_000, 180_000)
    assert found.mismatches == [mismatch(1, "issued-but-not-approved", approved=None)]


async def test_another_amount_than_approved_is_listed_to_the_minor_unit(connection: AsyncConnection) -> None:
    found = await reconciled(connection, reward(1, approval(1)), payment(1, instruction(1, usd("1800.01"))))
    assert found.difference == 1
    assert found.mismatches == [mismatch(1, "issued-another-amount", issued=180_001)]


async def test_two_errors_that_cancel_out_are_listed_all_the_same(connection: AsyncConnection) -> None:
    found = await reconciled(
        connection,
        reward(1, approval(1)),
        payment(1, instruction(1, usd("1800.01"))),
        reward(2, approval(2)),
        payment(2, instruction(2, usd("1799.99"))),
    )
    assert found.difference == 0
    assert [(m.payment, m.reason) for m in found.mismatches] == [
        (payment_of(1), "issued-another-amount"),
        (payment_of(2), "issued-another-amount"),
    ]


async def test_another_currency_than_approved_is_listed(connection: AsyncConnection) -> None:
    found = await reconciled(
        connection, reward(1, approval(1)), payment(1, instruction(1, Money.from_minor(180_000, "EUR")))
    )
    assert found.difference == 360_000
    assert [m.reason for m in found.mismatches] == ["issued-another-amount"]


async def test_paid_beyond_accepted_is_a_difference(connection: AsyncConnection) -> None:
    found = await reconciled(connection, reward(1, approval(1)), payment(1, instruction(1), answered(1, PAID)))
    assert (found.currencies[0].paid_beyond_accepted, found.difference) == (180_000, 180_000)
    assert found.mismatches == [mismatch(1, "paid-but-not-accepted")]


async def test_both_accepted_and_rejected_is_a_difference(connection: AsyncConnection) -> None:
    found = await reconciled(
        connection, reward(1, approval(1)), payment(1, instruction(1), answered(1, ACCEPTED), answered(1, REJECTED))
    )
    assert (found.currencies[0].issued_minus_answered, found.difference) == (-180_000, 180_000)
    assert found.mismatches == [mismatch(1, "both-accepted-and-rejected")]


async def test_an_answer_that_was_refused_is_listed(connection: AsyncConnection) -> None:
    unasked = PaymentAnswerRefused(payment_id=payment_of(1), version=1, answer=PAID, reason="payment-was-never-issued")
    found = await reconciled(connection, payment(1, unasked))
    assert (found.currencies, found.difference) == ([], 0)
    assert found.mismatches == [
        mismatch(
            1,
            "answer-refused",
            detail="paid v1: payment-was-never-issued",
            reward=None,
            currency=None,
            approved=None,
            issued=None,
        )
    ]
