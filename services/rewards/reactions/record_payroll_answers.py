"""What payroll answers becomes part of the payment's history, once; what it has paid is granted."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.domain.payment import PAYMENT, Issued, RecordPayrollAnswer
from services.rewards.domain.reward import REWARD, Approved, GrantReward
from services.rewards.projections.reconciliation import Known, answers_known
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.clock import now
from shared.schemas.feed import feed_type
from shared.schemas.identifiers import SYSTEM, PaymentId
from shared.schemas.money import Money
from shared.schemas.payroll import TOPIC, TYPES, InstructionAccepted, InstructionPaid, InstructionRejected
from shared.schemas.rewards import PayrollAnswer

Answer: TypeAlias = InstructionAccepted | InstructionRejected | InstructionPaid
_AT_ONCE: Final = 6
_ANSWERS: Final = {
    InstructionAccepted: PayrollAnswer.ACCEPTED,
    InstructionRejected: PayrollAnswer.REJECTED,
    InstructionPaid: PayrollAnswer.PAID,
}


def payroll_feed(handler: CommandHandler) -> Feed:
    """The feed whose records are commands: deduplicated by payment, version and answer; offsets decide nothing."""

    async def apply(engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        answers = [answer for record in records if (answer := _answer(record)) is not None]
        async with engine.connect() as connection:
            known = await answers_known(connection, {answer.payment_id for answer in answers})
        unknown = [answer for answer in answers if not _is_known(answer, known)]
        gate = asyncio.Semaphore(_AT_ONCE)
        work = [_record_in_order(handler, history, gate) for history in _by_payment(unknown)]
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome  # as it is: the feed's reader tells a database that is down from a bad record

    return Feed(name="payroll_answers", topic=TOPIC, apply=apply)


def _is_known(answer: Answer, known: Mapping[Known, Money]) -> bool:
    """One that comes again with other money is none of those that are known."""
    issued = known.get((answer.payment_id, answer.version, _ANSWERS[type(answer)]))
    said = None if isinstance(answer, InstructionRejected) else answer.amount
    return issued is not None and said in (None, issued)


def _by_payment(answers: Sequence[Answer]) -> list[list[Answer]]:
    """The answers to each payment, in the order given: payments are independent of each other."""
    histories: dict[PaymentId, list[Answer]] = defaultdict(list)
    for answer in answers:
        histories[answer.payment_id].append(answer)
    return list(histories.values())


async def _record_in_order(handler: CommandHandler, history: Sequence[Answer], gate: asyncio.Semaphore) -> None:
    async with gate:
        for answer in history:
            await _record(handler, answer)


def _answer(record: FeedRecord) -> Answer | None:
    """The answer that a record holds; one of a type that is not known yet says nothing."""
    event = TYPES.decode(feed_type(record.headers), record.value or b"")
    return event if isinstance(event, Answer) else None


async def _record(handler: CommandHandler, answer: Answer) -> None:
    at = now()
    command_id = derived("payroll", answer.payment_id, answer.version, _ANSWERS[type(answer)])
    context = Context(actor=SYSTEM, at=at, command_id=command_id, correlation_id=uuid7())

    async def plan(decision: Decision) -> None:
        command = RecordPayrollAnswer(
            payment=answer.payment_id, version=answer.version, at=at, by=SYSTEM, **_said(answer)
        )
        payment = await decision.decide(PAYMENT, answer.payment_id, command)
        if (
            isinstance(answer, InstructionPaid)
            and isinstance(payment, Issued)
            and PayrollAnswer.PAID in payment.answers
        ):
            reward = payment.instruction.reward
            if isinstance((await decision.load(REWARD, reward)).state, Approved):
                await decision.decide(REWARD, reward, GrantReward(paid_on=answer.pay_date, at=at, by=SYSTEM))

    await handler.handle_together(context, plan)


def _said(answer: Answer) -> dict[str, Any]:
    said: dict[str, str | date | PayrollAnswer | Money | None] = {"answer": _ANSWERS[type(answer)]}
    match answer:
        case InstructionRejected():
            said["code"] = answer.code
        case InstructionPaid():
            said |= {"amount": answer.amount, "pay_date": answer.pay_date, "run_reference": answer.run_reference}
        case InstructionAccepted():
            said["amount"] = answer.amount
    return said
