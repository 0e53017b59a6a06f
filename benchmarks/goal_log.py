"""A log of goals to measure with: a tree of them, each set once and measured nine times."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.eventsourcing.store import Append, EventStore, Metadata
from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric, MetricKind
from shared.schemas.goals import TYPES, GoalLevel, GoalProgressRecorded, GoalSet, ProgressSource
from shared.schemas.identifiers import GoalId, PersonId

EVENTS_A_GOAL: Final = 10
_CHILDREN: Final = 20
_STREAMS_AT_ONCE: Final = 100
_AT: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_OWNER: Final = PersonId(derived("benchmark", "owner"))


def goal_id(number: int) -> GoalId:
    return GoalId(derived("benchmark goal", number))


def metadata() -> Metadata:
    return Metadata(occurred_at=_AT, actor=_OWNER, command_id=uuid7(), correlation_id=uuid7())


def measured(percent: int) -> GoalProgressRecorded:
    return GoalProgressRecorded(
        value=Decimal(percent),
        raw_progress=Decimal(percent),
        progress=Decimal(percent),
        regressed=False,
        measured_at=_AT,
        source=ProgressSource.MANUAL,
    )


def _events_of(number: int) -> list[Event]:
    goal = GoalSet(
        level=GoalLevel.TEAM,
        owner=_OWNER,
        team="benchmark",
        title=f"goal {number}",
        metric=Metric(kind=MetricKind.PERCENT, start=Decimal(0), target=Decimal(100), unit="%"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        parent=goal_id(number // _CHILDREN) if number else None,
    )
    return [goal, *(measured(step * 10) for step in range(1, EVENTS_A_GOAL))]


async def fill(engine: AsyncEngine, goals: int) -> None:
    """Append every goal's events, a hundred goals to a transaction."""
    store = EventStore(engine, TYPES)
    numbers = iter(range(goals))
    for chunk in _chunks(numbers):
        appends = [
            Append(
                stream=stream_name("goal", goal_id(number)),
                expected=0,
                events=await store.prepare([(event, metadata()) for event in _events_of(number)]),
            )
            for number in chunk
        ]
        async with engine.begin() as connection:
            await store.append(connection, appends)


def _chunks(numbers: Iterator[int]) -> Iterator[Sequence[int]]:
    while chunk := list(islice(numbers, _STREAMS_AT_ONCE)):
        yield chunk


async def measure_again(engine: AsyncEngine, number: int, version: int) -> int:
    """One more measurement of a goal that is at this version; the version after it."""
    store = EventStore(engine, TYPES)
    events = await store.prepare([(measured(version % 100), metadata())])
    async with engine.begin() as connection:
        await store.append(
            connection, [Append(stream=stream_name("goal", goal_id(number)), expected=version, events=events)]
        )
    return version + 1
