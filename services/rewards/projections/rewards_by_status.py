"""Which rewards are there, in which status and worth how much money?"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    RowMapping,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections.reward_status import VISIBLE_TO_BENEFICIARY, RewardStatus
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.identifiers import (
    BudgetPoolId,
    PaymentId,
    PersonId,
    ReviewCycleId,
    ReviewId,
    RewardId,
    RewardProgramId,
)
from shared.schemas.money import Money
from shared.schemas.rewards import (
    TOPIC,
    Award,
    RewardAdjusted,
    RewardApproved,
    RewardGranted,
    RewardNotProposed,
    RewardProposed,
    RewardRejected,
)

REWARDS: Final = Table(
    "rewards",
    MetaData(),
    Column("reward", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("cycle", Uuid, nullable=False),
    Column("review", Uuid, nullable=False),
    Column("program", Uuid),
    Column("pool", Uuid),
    Column("nominated_by", Uuid),
    Column("approved_by", Uuid),
    Column("payment", Uuid),
    Column("reason", Text),
    Column("rating", Numeric),
    Column("percent", Numeric),
    Column("currency", Text),
    Column("amount", BigInteger, comment="minor units"),
    Column("increase", BigInteger, comment="minor units"),
    Column("lump_sum", BigInteger, comment="minor units"),
    Column("warnings", ARRAY(Text), nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Index("rewards_by_time", "proposed_at", "reward"),
    Index("rewards_by_person", "person"),
)
_REWARD: Final = REWARDS.c
_UPDATED: Final = (
    "status",
    "approved_by",
    "payment",
    "reason",
    "percent",
    "amount",
    "increase",
    "lump_sum",
    "warnings",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRow:
    """One reward as it stands; without a proposal there is a reason and no money."""

    reward: RewardId
    version: int
    status: RewardStatus
    person: PersonId
    cycle: ReviewCycleId
    review: ReviewId
    program: RewardProgramId | None
    pool: BudgetPoolId | None
    nominated_by: PersonId | None
    approved_by: PersonId | None
    payment: PaymentId | None
    reason: str | None
    rating: Decimal | None
    percent: Decimal | None
    amount: Money | None
    increase: Money | None
    lump_sum: Money | None
    warnings: tuple[str, ...]
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class StatusTotal:
    """How many rewards have a status, and their money in minor units; without money there is no currency."""

    status: RewardStatus
    currency: str | None
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of rewards is narrowed to; `persons` None: everybody's.

    `reader` asks: of their own rewards they see those that are decided.
    """

    persons: Collection[PersonId] | None = None
    reader: PersonId | None = None
    status: RewardStatus | None = None
    cycle: ReviewCycleId | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.persons is not None:
            found.append(_REWARD.person.in_(self.persons))
        if self.reader is not None:
            decided = [status.value for status in VISIBLE_TO_BENEFICIARY]
            found.append(or_(_REWARD.person != self.reader, _REWARD.status.in_(decided)))
        if self.status is not None:
            found.append(_REWARD.status == self.status.value)
        if self.cycle is not None:
            found.append(_REWARD.cycle == self.cycle)
        return found


EVERYTHING: Final = Wanted()
SortKey = tuple[datetime, RewardId]


@dataclass(slots=True)
class _Changes:
    """What a slice does: rows that begin, and what happens to rows afterwards, in order."""

    begun: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    later: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A reward is one stream, hence one row that no other partition touches."""
    changes = _Changes()
    for record in events:
        _collect(changes, record)
    if changes.begun:
        await connection.execute(insert(REWARDS).on_conflict_do_nothing(), changes.begun)
    if changes.later:
        await connection.execute(
            update(REWARDS)
            .where(_REWARD.reward == bindparam("stream"), _REWARD.version < bindparam("sequence"))
            .values(
                version=bindparam("sequence"),
                **{n: func.coalesce(bindparam(f"new_{n}", type_=_REWARD[n].type), _REWARD[n]) for n in _UPDATED},
            ),
            changes.later,
        )


def _collect(changes: _Changes, record: Recorded) -> None:
    match record.event:
        case RewardProposed() as event:
            changes.begun.append(_first(record, event, RewardStatus.PROPOSED) | _proposal(event))
        case RewardNotProposed() as event:
            changes.begun.append(_first(record, event, RewardStatus.NOT_PROPOSED) | {"reason": event.reason})
        case _:
            if (values := _change(record.event)) is not None:
                new = {f"new_{name}": values.get(name) for name in _UPDATED}
                changes.later.append({"stream": record.stream_id, "sequence": record.version, **new})


def _first(record: Recorded, event: RewardProposed | RewardNotProposed, status: RewardStatus) -> dict[str, Any]:
    return dict.fromkeys(column.name for column in REWARDS.columns) | {
        "reward": record.stream_id,
        "version": record.version,
        "status": status.value,
        "person": event.person,
        "cycle": event.cycle,
        "review": event.review,
        "warnings": [],
        "proposed_at": record.envelope.time,
    }


def _proposal(event: RewardProposed) -> dict[str, Any]:
    return {
        "program": event.program,
        "pool": event.pool,
        "nominated_by": event.nominated_by,
        "rating": event.rating,
        "currency": event.award.amount.currency,
        **_award(event.award),
    }


def _award(award: Award) -> dict[str, Any]:
    return {
        "percent": award.percent,
        "amount": award.amount.minor,
        "increase": award.increase.minor,
        "lump_sum": award.lump_sum.minor,
        "warnings": list(award.warnings),
    }


def _change(event: Event) -> dict[str, Any] | None:
    match event:
        case RewardAdjusted():
            return {"reason": event.reason, **_award(event.award)}
        case RewardApproved():
            return {
                "status": RewardStatus.APPROVED.value,
                "approved_by": event.approval.who,
                "payment": event.payment,
            }
        case RewardRejected():
            return {"status": RewardStatus.REJECTED.value, "reason": event.reason}
        case RewardGranted():
            return {"status": RewardStatus.GRANTED.value}
        case _:
            return None


PROJECTION: Final = Projection(name="rewards_by_status", topics=(TOPIC,), tables=(REWARDS,), apply=apply)


async def find(connection: AsyncConnection, reward: RewardId) -> RewardRow | None:
    row = (await connection.execute(select(REWARDS).where(_REWARD.reward == reward))).mappings().one_or_none()
    return None if row is None else _row(row)


async def page(
    connection: AsyncConnection, wanted: Wanted = EVERYTHING, *, after: SortKey | None, limit: int
) -> list[RewardRow]:
    """The rewards wanted, the first proposed first."""
    query = select(REWARDS).where(*wanted.conditions()).order_by(_REWARD.proposed_at, _REWARD.reward).limit(limit)
    if after is not None:
        query = query.where(tuple_(_REWARD.proposed_at, _REWARD.reward) > tuple_(*after))
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def totals(connection: AsyncConnection, wanted: Wanted = EVERYTHING) -> list[StatusTotal]:
    """Number and money of the rewards wanted, by status and currency."""
    query = (
        select(_REWARD.status, _REWARD.currency, func.count(), func.coalesce(func.sum(_REWARD.amount), 0))
        .where(*wanted.conditions())
        .group_by(_REWARD.status, _REWARD.currency)
        .order_by(_REWARD.status, _REWARD.currency)
    )
    rows = await connection.execute(query)
    return [StatusTotal(RewardStatus(status), currency, count, int(minor)) for status, currency, count, minor in rows]


def _row(row: RowMapping) -> RewardRow:
    currency: str | None = row["currency"]
    money = {
        name: None if currency is None else Money.from_minor(row[name], currency)
        for name in ("amount", "increase", "lump_sum")
    }
    rest = {name: value for name, value in row.items() if name not in ("currency", *money)}
    values: dict[str, Any] = {
        **rest,
        **money,
        "status": RewardStatus(row["status"]),
        "warnings": tuple(row["warnings"]),
    }
    return RewardRow(**values)
