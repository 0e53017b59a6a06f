"""Does what was approved equal what was issued, and that what payroll answered?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    and_,
    case,
    column,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import PaymentId, RewardId
from shared.schemas.money import Money
from shared.schemas.rewards import (
    TOPIC,
    PaymentAnswered,
    PaymentAnswerRefused,
    PaymentInstructionIssued,
    PayrollAnswer,
    RewardApproved,
)

_METADATA: Final = MetaData()
APPROVED_PAYMENTS: Final = Table(
    "approved_payments",
    _METADATA,
    Column("payment", Uuid, primary_key=True),
    Column("reward", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="minor units"),
)
ISSUED_PAYMENTS: Final = Table(
    "issued_payments",
    _METADATA,
    Column("payment", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("reward", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="minor units"),
    Column("pay_group", Text, nullable=False),
    Column("pay_date", Date, nullable=False),
)
PAYROLL_ANSWERS: Final = Table(
    "payroll_answers",
    _METADATA,
    Column("payment", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("answer", Text, primary_key=True),
    Column("refused", Boolean, primary_key=True, comment="payroll contradicted itself or answered what was not asked"),
    Column("detail", Text),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyLine:
    """One currency's sums in minor units. Every difference is 0 when all is well, or where errors cancel out.

    Each payment for itself is held against what was approved by the mismatches.
    """

    currency: str
    approved: int
    issued: int
    accepted: int
    rejected: int
    pending: int
    paid: int

    @property
    def approved_minus_issued(self) -> int:
        return self.approved - self.issued

    @property
    def issued_minus_answered(self) -> int:
        """What was issued less what was accepted, rejected or is pending."""
        return self.issued - (self.accepted + self.rejected + self.pending)

    @property
    def paid_beyond_accepted(self) -> int:
        return max(self.paid - self.accepted, 0)

    @property
    def difference(self) -> int:
        """The sum of all differences' sizes."""
        return abs(self.approved_minus_issued) + abs(self.issued_minus_answered) + self.paid_beyond_accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A payment that does not reconcile, and why; amounts in minor units, none: there is nothing."""

    payment: PaymentId
    reward: RewardId | None
    reason: str
    detail: str | None
    currency: str | None
    approved: int | None
    issued: int | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    currencies: Sequence[CurrencyLine]
    mismatches: Sequence[Mismatch]

    @property
    def difference(self) -> int:
        return sum(line.difference for line in self.currencies)


_TOO_EARLY: Final = "%-was-never-issued"
"""Why an answer was refused that payroll gave before there was anything to answer: the payment, or its version."""


def _keep_answer() -> Insert:
    """Of an answer that is refused again, another reason stays than that it came too early."""
    adding = insert(PAYROLL_ANSWERS)
    known, new = PAYROLL_ANSWERS.c, adding.excluded
    weightier = and_(known.refused, known.detail.like(_TOO_EARLY), new.detail.not_like(_TOO_EARLY))
    return adding.on_conflict_do_update(
        index_elements=list(PAYROLL_ANSWERS.primary_key), set_={"detail": new.detail}, where=weightier
    )


_KEEP_ANSWER: Final = _keep_answer()


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Rows are added, and say no less afterwards: any order, and again, gives the same."""
    for adding, rows in (
        (
            insert(APPROVED_PAYMENTS).on_conflict_do_nothing(),
            [_approved(r, r.event) for r in events if isinstance(r.event, RewardApproved)],
        ),
        (
            insert(ISSUED_PAYMENTS).on_conflict_do_nothing(),
            [_issued(r.event) for r in events if isinstance(r.event, PaymentInstructionIssued)],
        ),
        (
            _KEEP_ANSWER,
            [_answered(r.event) for r in events if isinstance(r.event, PaymentAnswered | PaymentAnswerRefused)],
        ),
    ):
        if rows:
            await connection.execute(adding, rows)


def _approved(record: Recorded, event: RewardApproved) -> dict[str, Any]:
    return {
        "payment": event.payment,
        "reward": record.stream_id,
        "currency": event.amount.currency,
        "amount": event.amount.minor,
    }


def _issued(event: PaymentInstructionIssued) -> dict[str, Any]:
    return {
        "payment": event.payment_id,
        "version": event.version,
        "reward": event.reward,
        "person": event.person,
        "currency": event.amount.currency,
        "amount": event.amount.minor,
        "pay_group": event.pay_group,
        "pay_date": event.pay_date,
    }


def _answered(event: PaymentAnswered | PaymentAnswerRefused) -> dict[str, Any]:
    refused = isinstance(event, PaymentAnswerRefused)
    return {
        "payment": event.payment_id,
        "version": event.version,
        "answer": event.answer.value,
        "refused": refused,
        "detail": event.reason if refused else (event.code or event.run_reference),
    }


PROJECTION: Final = Projection(
    name="reconciliation", topics=(TOPIC,), tables=(APPROVED_PAYMENTS, ISSUED_PAYMENTS, PAYROLL_ANSWERS), apply=apply
)

_STANDING: Final = (
    text(
        """
        with latest as (
          select distinct on (payment) * from issued_payments order by payment, version desc
        ), answers as (
          select payment, version, bool_or(answer = 'accepted') as accepted,
                 bool_or(answer = 'rejected') as rejected, bool_or(answer = 'paid') as paid
          from payroll_answers where not refused group by payment, version
        )
        select payment, coalesce(approved.reward, latest.reward) as reward,
               approved.currency as approved_currency, approved.amount as approved,
               latest.currency as issued_currency, latest.amount as issued,
               coalesce(accepted, false) as accepted, coalesce(rejected, false) as rejected,
               coalesce(paid, false) as paid
        from approved_payments approved
        full join latest using (payment)
        left join answers using (payment, version)"""
    )
    .columns(
        column("payment", Uuid),
        column("reward", Uuid),
        column("approved_currency", Text),
        column("approved", BigInteger),
        column("issued_currency", Text),
        column("issued", BigInteger),
        column("accepted", Boolean),
        column("rejected", Boolean),
        column("paid", Boolean),
    )
    .cte("standing")
)
"""Each payment once: what was approved, what its latest version says, what payroll answered to that version."""
_S: Final = _STANDING.c
_REASON: Final = case(
    (_S.issued.is_(None), "approved-but-not-issued"),
    (_S.approved.is_(None), "issued-but-not-approved"),
    (or_(_S.approved_currency != _S.issued_currency, _S.approved != _S.issued), "issued-another-amount"),
    (and_(_S.accepted, _S.rejected), "both-accepted-and-rejected"),
    (and_(_S.paid, not_(_S.accepted)), "paid-but-not-accepted"),
)


async def reconcile(connection: AsyncConnection) -> Reconciliation:
    """The invariant, per currency, and every payment that does not match it."""
    return Reconciliation(await _lines(connection), [*await _unmatched(connection), *await _refused(connection)])


Known: TypeAlias = tuple[PaymentId, int, PayrollAnswer]
"""An answer to a version of a payment."""


async def answers_known(connection: AsyncConnection, payments: Collection[PaymentId]) -> dict[Known, Money]:
    """Which of payroll's answers to these payments this read model has seen, and the money that was issued.

    It may be behind the event store. One that was refused is decided again: what it answers may have been issued since.
    """
    answers, issued = PAYROLL_ANSWERS.c, ISSUED_PAYMENTS.c
    of_version = and_(issued.payment == answers.payment, issued.version == answers.version)
    query = (
        select(answers.payment, answers.version, answers.answer, issued.amount, issued.currency)
        .select_from(PAYROLL_ANSWERS.join(ISSUED_PAYMENTS, of_version))
        .where(answers.payment.in_(payments), not_(answers.refused))
    )
    return {
        (PaymentId(payment), version, PayrollAnswer(answer)): Money.from_minor(amount, currency)
        for payment, version, answer, amount, currency in await connection.execute(query)
    }


async def _lines(connection: AsyncConnection) -> list[CurrencyLine]:
    approved = select(_S.approved_currency, func.sum(_S.approved)).group_by(_S.approved_currency)
    conditions = {
        "issued": true(),
        "accepted": _S.accepted,
        "rejected": _S.rejected,
        "pending": not_(or_(_S.accepted, _S.rejected)),
        "paid": _S.paid,
    }
    sums = [func.sum(_S.issued).filter(condition).label(name) for name, condition in conditions.items()]
    issued = select(_S.issued_currency, *sums).group_by(_S.issued_currency)
    found: dict[str, dict[str, int]] = {}
    for currency, amount in await connection.execute(approved.where(_S.approved.is_not(None))):
        found[currency] = {"approved": int(amount)}
    for row in (await connection.execute(issued.where(_S.issued.is_not(None)))).mappings():
        found.setdefault(row["issued_currency"], {}).update({name: int(row[name] or 0) for name in conditions})
    nothing = dict.fromkeys(("approved", *conditions), 0)
    return [CurrencyLine(currency=currency, **nothing | found[currency]) for currency in sorted(found)]


async def _unmatched(connection: AsyncConnection) -> list[Mismatch]:
    query = select(
        _S.payment,
        _S.reward,
        _REASON.label("reason"),
        null().label("detail"),
        func.coalesce(_S.approved_currency, _S.issued_currency).label("currency"),
        _S.approved,
        _S.issued,
    )
    rows = await connection.execute(query.where(_REASON.is_not(None)).order_by(_S.payment))
    return [Mismatch(**row) for row in rows.mappings()]


async def _refused(connection: AsyncConnection) -> list[Mismatch]:
    """Answers that payroll should not have given."""
    answers = PAYROLL_ANSWERS.c
    query = (
        select(
            answers.payment,
            _S.reward,
            literal("answer-refused").label("reason"),
            func.concat(answers.answer, " v", answers.version, ": ", answers.detail).label("detail"),
            func.coalesce(_S.approved_currency, _S.issued_currency).label("currency"),
            _S.approved,
            _S.issued,
        )
        .select_from(PAYROLL_ANSWERS.outerjoin(_STANDING, answers.payment == _S.payment))
        .where(answers.refused)
        .order_by(answers.payment, answers.version, answers.answer)
    )
    return [Mismatch(**row) for row in (await connection.execute(query)).mappings()]
