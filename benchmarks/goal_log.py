"""A log of goals to measure with: a tree of them, each set once and measured nine times."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.append import Append
from shared.eventsourcing.database import driver
from shared.eventsourcing.identifiers import derived, stream_name, uuid7
from shared.eventsourcing.store import EventStore, Metadata
from shared.schemas.event import encode
from shared.schemas.goal_metrics import MeasuredBy, Metric, MetricKind
from shared.schemas.goals import TYPES, GoalLevel, GoalProgressRecorded, GoalSet, ProgressSource
from shared.schemas.identifiers import GoalId, PersonId

EVENTS_A_GOAL: Final = 10
_CHILDREN: Final = 20
_STREAMS_AT_ONCE: Final = 1_000
_COLUMNS: Final = ("stream", "version", "event_id", "type", "data", "metadata")
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


def _goal_set(number: int, goals: int) -> GoalSet:
    """Goals with goals below them are measured by those."""
    return GoalSet(
        level=GoalLevel.TEAM,
        owner=_OWNER,
        team="benchmark",
        title=f"goal {number}",
        metric=Metric(kind=MetricKind.PERCENT, start=Decimal(0), target=Decimal(100), unit="%"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        parent=goal_id(number // _CHILDREN) if number else None,
        measured_by=MeasuredBy.CHILDREN if number * _CHILDREN < goals else MeasuredBy.METRIC,
    )


async def fill(engine: AsyncEngine, goals: int) -> None:
    """Store every goal's events, in bulk; the rows are those that appends would have left."""
    measurements = [(measured(0).event_type, encode(measured(step * 10))) for step in range(1, EVENTS_A_GOAL)]
    numbers = iter(range(goals))
    async with engine.connect() as connection:
        raw = await driver(connection)
        for chunk in _chunks(numbers):
            streams = [(stream_name("goal", goal_id(number)), number) for number in chunk]
            texts = [(stream, [_told(number, goals), *measurements]) for stream, number in streams]
            events = [
                (stream, version, uuid7(), event_type, data, metadata().encode())
                for stream, told in texts
                for version, (event_type, data) in enumerate(told, start=1)
            ]
            async with raw.transaction():
                heads = [(stream, EVENTS_A_GOAL) for stream, _ in streams]
                await raw.copy_records_to_table("streams", records=heads, columns=("stream", "version"))
                await raw.copy_records_to_table("events", records=events, columns=_COLUMNS)


def _told(number: int, goals: int) -> tuple[str, str]:
    event = _goal_set(number, goals)
    return event.event_type, encode(event)


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
