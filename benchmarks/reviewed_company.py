"""A company whose reviews are completed: what the rewards service knows of its people, and what reviews publishes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from services.rewards.projections.compensation import COMPENSATION
from shared.eventsourcing.append import Append
from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.eventsourcing.store import EventStore, Metadata
from shared.people.table import PEOPLE
from shared.schemas import reviews, rewards
from shared.schemas.event import Event
from shared.schemas.identifiers import SYSTEM, BudgetPoolId, PersonId, ReviewCycleId
from shared.schemas.money import Money
from shared.schemas.people import EmploymentStatus, SalaryPeriod
from shared.schemas.reviews import ReviewCompleted
from shared.schemas.rewards import BudgetPoolOpened, MeritGuideline, MeritMatrix, MeritRow, RewardProgramOpened

_CYCLE: Final = ReviewCycleId(derived("benchmark", "cycle"))
_POOL: Final = BudgetPoolId(derived("benchmark", "pool"))
_AT: Final = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
_AT_ONCE: Final = 1_000
_PERCENTS: Final = dict(zip(("minimum", "low", "default", "high", "maximum"), map(Decimal, range(1, 6)), strict=True))
_ROW: Final = MeritRow(
    rating_from=Decimal(1),
    rating_below=None,
    compa_from=Decimal(0),
    compa_below=None,
    guideline=MeritGuideline(**_PERCENTS),
)


def _person(number: int) -> PersonId:
    return PersonId(derived("benchmark person", number))


def _usd(amount: int) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


async def known(engine: AsyncEngine, people: int) -> None:
    """Everybody with their pay, one pool that can pay them all, and the cycle's program."""
    numbers = iter(range(people))
    async with engine.begin() as connection:
        while chunk := list(islice(numbers, _AT_ONCE)):
            await connection.execute(insert(PEOPLE), [_employed(number) for number in chunk])
            await connection.execute(insert(COMPENSATION), [_paid(number) for number in chunk])
        program = f"program-{derived('program', 'merit', _CYCLE)}"
        store = EventStore(engine, rewards.TYPES)
        opened = [
            await _append(store, f"pool-{_POOL}", BudgetPoolOpened(name="Merit", amount=_usd(10_000_000_000))),
            await _append(store, program, _program()),
        ]
        await store.append(connection, opened)


def _employed(number: int) -> dict[str, object]:
    return {
        "person": _person(number),
        "revision": 1,
        "manager": _person(number // 10),
        "team": "benchmark",
        "legal_entity": "Trellis Inc",
        "pay_group": "monthly",
        "country": "US",
        "job_title": "Engineer",
        "hired_on": date(2020, 1, 1),
        "left_on": None,
        "fte": Decimal(1),
        "status": EmploymentStatus.ACTIVE.value,
    }


def _paid(number: int) -> dict[str, object]:
    return {
        "person": _person(number),
        "revision": 1,
        "currency": "USD",
        "base_salary": 6_000_000 + 100 * (number % 10_000),
        "range_minimum": 5_000_000,
        "range_maximum": 8_000_000,
        "per": SalaryPeriod.YEAR.value,
    }


def _program() -> RewardProgramOpened:
    return RewardProgramOpened(
        cycle=_CYCLE,
        kind=rewards.RewardKind.MERIT,
        name="Merit",
        pool=_POOL,
        currency="USD",
        matrix=MeritMatrix(scale_minimum=Decimal(1), scale_maximum=Decimal(5), rows=(_ROW,)),
        effective_on=date(2026, 2, 1),
        coverage_start=date(2025, 1, 1),
        coverage_end=date(2025, 12, 31),
        pay_date=date(2026, 2, 27),
        earning_code="MERIT",
        lump_sum_earning_code="MERIT-LUMP",
        reason_code="ANNUAL-MERIT",
        cost_allocation="CC-1000",
        policy_version="2025.1",
    )


async def completed(engine: AsyncEngine, numbers: Sequence[int]) -> None:
    """The reviews of these people are completed, a thousand a transaction, in the store of the reviews service."""
    store = EventStore(engine, reviews.TYPES)
    for chunk in _chunks(iter(numbers)):
        appends = [
            await _append(store, stream_name("review", derived("benchmark review", number)), _completed(number))
            for number in chunk
        ]
        async with engine.begin() as connection:
            await store.append(connection, appends)


def _chunks(numbers: Iterator[int]) -> Iterator[Sequence[int]]:
    while chunk := list(islice(numbers, _AT_ONCE)):
        yield chunk


def _completed(number: int) -> ReviewCompleted:
    return ReviewCompleted(
        cycle=_CYCLE,
        person=_person(number),
        manager=_person(number // 10),
        overall=Decimal("3.50") + Decimal(number % 100) / 100,
        rated=True,
        level=None,
        scale_minimum=Decimal(1),
        scale_maximum=Decimal(5),
        evidence_hash="0" * 64,
        policy_version="2025.1",
    )


async def _append(store: EventStore, stream: str, event: Event) -> Append:
    metadata = Metadata(occurred_at=_AT, actor=SYSTEM, command_id=uuid7(), correlation_id=uuid7())
    return Append(stream=stream, expected=0, events=await store.prepare([(event, metadata)]))
