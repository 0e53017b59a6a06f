"""Payroll's books: one answer a version, one payment a payment, the same answer to a repeated instruction."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from consumers.payroll.books import Books, Checkpoint, RecordedAnswer
from shared.schemas.payroll import InstructionAccepted, InstructionPaid, InstructionRejected
from shared.schemas.rewards import PaymentInstructionIssued
from tests.unit.consumers.payroll.instructions import LOG, instruction, payment

ACCEPTED, REJECTED, PAID = (event.event_type for event in (InstructionAccepted, InstructionRejected, InstructionPaid))


def receive(books: Books, *instructions: PaymentInstructionIssued) -> None:
    with books.transaction():
        for each in instructions:
            books.receive(each)


def run_payroll(books: Books, due_by: date | None = None) -> int:
    with books.transaction():
        return books.run_payroll(due_by=due_by)


def to_publish(books: Books) -> list[RecordedAnswer]:
    with books.transaction():
        return books.unpublished()


def publish(books: Books) -> list[RecordedAnswer]:
    with books.transaction():
        answers = books.unpublished()
        books.published(answers)
    return answers


def types(books: Books) -> list[str]:
    return [answer.type for answer in to_publish(books)]


def test_an_instruction_is_accepted_then_paid(books: Books) -> None:
    receive(books, instruction(1))
    assert run_payroll(books) == 1
    assert types(books) == [ACCEPTED, PAID]


def test_an_unknown_pay_group_is_rejected_with_its_code(books: Books) -> None:
    receive(books, instruction(1, pay_group="XX"))
    [answer] = to_publish(books)
    assert InstructionRejected.model_validate_json(answer.data) == InstructionRejected(
        payment_id=payment(1), version=1, code="unknown-pay-group"
    )
    assert run_payroll(books) == 0


def test_without_a_list_every_pay_group_is_known(tmp_path: Path) -> None:
    books = Books(tmp_path / "any.sqlite")
    receive(books, instruction(1, pay_group="XX"))
    assert types(books) == [ACCEPTED]
    books.close()


def test_a_repeated_instruction_gets_its_recorded_answer_again(books: Books) -> None:
    receive(books, instruction(1))
    run_payroll(books)
    first = publish(books)
    receive(books, instruction(1))
    assert publish(books) == first
    assert run_payroll(books) == 0


def test_a_corrected_instruction_is_taken_after_a_rejection(books: Books) -> None:
    receive(books, instruction(1, pay_group="XX"), instruction(1, version=2))
    run_payroll(books)
    assert types(books) == [REJECTED, ACCEPTED, PAID]


def test_an_older_version_is_refused(books: Books) -> None:
    receive(books, instruction(1, version=2, pay_group="XX"), instruction(1, version=1))
    assert [InstructionRejected.model_validate_json(answer.data).code for answer in to_publish(books)] == [
        "unknown-pay-group",
        "older-version",
    ]
    assert run_payroll(books) == 0


@pytest.mark.parametrize("paid_before", [True, False])
def test_what_was_accepted_is_not_paid_again_as_another_version(books: Books, paid_before: bool) -> None:  # noqa: FBT001 - a case
    receive(books, instruction(1))
    paid = run_payroll(books) if paid_before else 0
    receive(books, instruction(1, version=2))
    assert paid + run_payroll(books) == 1
    assert REJECTED in types(books)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"components": ()}, "components-do-not-add-up"),
        ({"approvals": ()}, "not-approved-by-another"),
        ({"person": instruction(1).approvals[0].who}, "not-approved-by-another"),
    ],
)
def test_what_is_not_in_order_is_rejected(books: Books, changed: dict[str, object], code: str) -> None:
    receive(books, instruction(1).model_copy(update=changed))
    assert [InstructionRejected.model_validate_json(a.data).code for a in to_publish(books)] == [code]


def test_payroll_can_wait_for_the_pay_date(books: Books) -> None:
    pay_date = instruction(1).pay_date
    receive(books, instruction(1))
    assert run_payroll(books, pay_date - timedelta(days=1)) == 0
    assert run_payroll(books, pay_date) == 1


def test_a_transaction_that_fails_leaves_nothing(books: Books) -> None:
    def fail() -> None:
        with books.transaction():
            books.receive(instruction(1))
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - any
        fail()
    assert to_publish(books) == []


def test_the_books_are_still_there_after_a_restart(tmp_path: Path) -> None:
    before = Books(tmp_path / "books.sqlite")
    with before.transaction():
        before.receive(instruction(1))
        before.move("rewards.events", 3, Checkpoint(LOG, 10, 11))
    before.close()
    after = Books(tmp_path / "books.sqlite")
    assert types(after) == [ACCEPTED]
    assert after.checkpoint("rewards.events", 3) == Checkpoint(LOG, 10, 11)
    after.close()


def test_an_answer_says_what_is_paid_by_these_books(books: Books) -> None:
    receive(books, instruction(1))
    assert run_payroll(books) == 1
    accepted, paid = publish(books)
    assert InstructionAccepted.model_validate_json(accepted.data).amount == instruction(1).amount
    assert InstructionPaid.model_validate_json(paid.data).amount == instruction(1).amount


def test_other_money_under_the_same_number_is_rejected_and_never_said_to_be_paid(books: Books) -> None:
    receive(books, instruction(1))
    assert run_payroll(books) == 1
    assert [answer.type for answer in publish(books)] == [ACCEPTED, PAID]
    other = instruction(1)
    part = other.components[0]
    more = part.amount.model_copy(update={"amount": part.amount.amount + 1})
    other = other.model_copy(
        update={"amount": more, "components": (part.model_copy(update={"amount": more}), *other.components[1:])}
    )
    for _ in range(2):
        receive(books, other)
        [answer] = publish(books)
        assert InstructionRejected.model_validate_json(answer.data).code == "another-instruction-of-this-version"
    assert run_payroll(books) == 0
