"""What payroll answers becomes part of the payment's history, once; what it has paid is granted."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.domain.payment import PAYMENT, Issued, RecordPayrollAnswer
from services.rewards.domain.reward import REWARD, Approved, GrantReward
from services.rewards.projections.reconciliation import answers_known
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.clock import now
from shared.schemas.feed import feed_type
from shared.schemas.identifiers import SYSTEM
from shared.schemas.payroll import TOPIC, TYPES, InstructionAccepted, InstructionPaid, InstructionRejected
from shared.schemas.rewards import PayrollAnswer

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
        for answer in answers:
            if (answer.payment_id, answer.version, _ANSWERS[type(answer)]) not in known:
                await _record(handler, answer)

    return Feed(name="payroll_answers", topic=TOPIC, apply=apply)


def _answer(record: FeedRecord) -> InstructionAccepted | InstructionRejected | InstructionPaid | None:
    """The answer that a record holds; one of a type that is not known yet says nothing."""
    event = TYPES.decode(feed_type(record.headers), record.value or b"")
    return event if isinstance(event, InstructionAccepted | InstructionRejected | InstructionPaid) else None


async def _record(handler: CommandHandler, answer: InstructionAccepted | InstructionRejected | InstructionPaid) -> None:
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


def _said(answer: InstructionAccepted | InstructionRejected | InstructionPaid) -> dict[str, Any]:
    said: dict[str, str | date | PayrollAnswer] = {"answer": _ANSWERS[type(answer)]}
    match answer:
        case InstructionRejected():
            said["code"] = answer.code
        case InstructionPaid():
            said |= {"pay_date": answer.pay_date, "run_reference": answer.run_reference}
        case InstructionAccepted():
            pass
    return said
