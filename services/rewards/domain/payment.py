"""A payment: what payroll is told to pay, version by version, and what payroll answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.event import Event
from shared.schemas.identifiers import PaymentId, PersonId, RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import (
    Approval,
    PayComponent,
    PaymentAnswered,
    PaymentAnswerRefused,
    PaymentInstructionIssued,
    PayrollAnswer,
)
from shared.schemas.values import Known, ShortText

Answer = tuple[int, PayrollAnswer]
"""Version and answer: by these payroll's answers to one payment are told apart."""


class IssuePayment(Command):
    payment: PaymentId
    reward: RewardId
    person: PersonId
    legal_entity: ShortText
    pay_group: ShortText
    components: tuple[PayComponent, ...]
    pay_date: date
    coverage_start: date
    coverage_end: date
    reason_code: ShortText
    cost_allocation: ShortText
    approvals: tuple[Approval, ...]


class ReissuePaymentBody(RequestBody):
    pay_date: date | None = None


class ReissuePayment(ReissuePaymentBody, Command):
    """After a rejection: the person's legal entity and pay group as they are now, as a new version."""

    legal_entity: ShortText
    pay_group: ShortText


class RecordPayrollAnswer(Command):
    payment: PaymentId
    version: int
    answer: Known[PayrollAnswer]
    amount: Money | None = None
    code: ShortText | None = None
    pay_date: date | None = None
    run_reference: ShortText | None = None


PaymentCommand = IssuePayment | ReissuePayment | RecordPayrollAnswer


@dataclass(frozen=True, slots=True)
class NotIssued:
    refused: frozenset[Answer] = frozenset()


@dataclass(frozen=True, slots=True)
class Issued:
    """`answers` are payroll's to the version that `instruction` is."""

    instruction: PaymentInstructionIssued
    answers: frozenset[PayrollAnswer] = frozenset()
    refused: frozenset[Answer] = frozenset()

    @property
    def version(self) -> int:
        return self.instruction.version


Payment = NotIssued | Issued


def evolve(payment: Payment, event: Event) -> Payment:
    match event:
        case PaymentInstructionIssued():
            return Issued(instruction=event, refused=_of_other_versions(payment.refused, event.version))
        case PaymentAnswered(version=version) if isinstance(payment, Issued) and version == payment.version:
            return replace(payment, answers=payment.answers | {event.answer})
        case PaymentAnswerRefused():
            return replace(payment, refused=payment.refused | {(event.version, event.answer)})
        case _:
            return payment


def _of_other_versions(refused: frozenset[Answer], version: int) -> frozenset[Answer]:
    """What was refused because nothing was issued yet is judged, and if need be refused, by what is issued now."""
    return frozenset((of, answer) for of, answer in refused if of != version)


def decide(payment: Payment, command: PaymentCommand) -> Sequence[Event]:
    match command:
        case IssuePayment():
            return _issue(payment, command)
        case ReissuePayment():
            return _reissue(payment, command)
        case RecordPayrollAnswer():
            return _record(payment, command)


def _issue(payment: Payment, command: IssuePayment) -> Sequence[Event]:
    if isinstance(payment, Issued):
        return []
    components = tuple(part for part in command.components if part.amount.minor)
    if not components or any(part.amount.minor < 0 for part in components):
        raise Rejected("amount-must-be-positive", components=[str(part.amount.amount) for part in command.components])
    currency = components[0].amount.currency
    if any(part.amount.currency != currency for part in components):
        raise Rejected("payment-must-have-one-currency", payment=command.payment)
    return [
        PaymentInstructionIssued(
            payment_id=command.payment,
            version=1,
            earning_code=components[0].earning_code,
            amount=Money.from_minor(sum(part.amount.minor for part in components), currency),
            components=components,
            **{name: getattr(command, name) for name in _CARRIED_OVER},
        )
    ]


_CARRIED_OVER: Final = frozenset(IssuePayment.model_fields) & frozenset(PaymentInstructionIssued.model_fields) - {
    "components"
}


def _reissue(payment: Payment, command: ReissuePayment) -> Sequence[Event]:
    if not (isinstance(payment, Issued) and PayrollAnswer.REJECTED in payment.answers):
        answers = sorted(payment.answers) if isinstance(payment, Issued) else []
        raise Rejected("only-a-rejected-payment-can-be-reissued", answers=answers)
    corrected = {
        "version": payment.version + 1,
        "legal_entity": command.legal_entity,
        "pay_group": command.pay_group,
        "pay_date": command.pay_date or payment.instruction.pay_date,
    }
    return [PaymentInstructionIssued.model_validate({**dict(payment.instruction), **corrected})]


def _record(payment: Payment, command: RecordPayrollAnswer) -> Sequence[Event]:
    """The answer as an event; what is known already is nothing new.

    Payment before acceptance is a fact too: until the acceptance comes it shows as a mismatch.
    """
    events = _answer_to(payment, command)
    known = (command.version, command.answer) in payment.refused
    return [] if known and isinstance(events[0] if events else None, PaymentAnswerRefused) else events


def _answer_to(payment: Payment, command: RecordPayrollAnswer) -> Sequence[Event]:
    match payment:
        case NotIssued():
            return [_refusal(command, "payment-was-never-issued")]
        case Issued() if command.version > payment.version:
            return [_refusal(command, "version-was-never-issued")]
        case Issued() if command.version < payment.version:
            return _about_a_rejected_version(command)
        case Issued() if _contradict({*payment.answers, command.answer}):
            return [_refusal(command, f"payment-is-already-{max(payment.answers)}")]
        case Issued() if command.amount not in (None, payment.instruction.amount):
            return [_refusal(command, "amount-is-not-as-issued")]
        case Issued() if command.answer in payment.answers:
            return []
        case Issued():
            return [_answered(command)]


def _about_a_rejected_version(command: RecordPayrollAnswer) -> Sequence[Event]:
    """Only what was rejected is issued again: anything else that payroll says of it may mean money paid twice."""
    return [] if command.answer == PayrollAnswer.REJECTED else [_refusal(command, "version-was-rejected")]


def _contradict(answers: set[PayrollAnswer]) -> bool:
    return PayrollAnswer.REJECTED in answers and len(answers) > 1


def _answered(command: RecordPayrollAnswer) -> PaymentAnswered:
    return PaymentAnswered(
        payment_id=command.payment,
        version=command.version,
        answer=command.answer,
        code=command.code,
        pay_date=command.pay_date,
        run_reference=command.run_reference,
    )


def _refusal(command: RecordPayrollAnswer, reason: str) -> PaymentAnswerRefused:
    return PaymentAnswerRefused(
        payment_id=command.payment, version=command.version, answer=command.answer, reason=reason
    )


PAYMENT: Final[Decider[Payment]] = Decider(category="payment", initial=NotIssued(), decide=decide, evolve=evolve)
