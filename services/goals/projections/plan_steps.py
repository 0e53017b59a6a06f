"""Plan steps: who proposed what, in which words, and what the other side answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event, EventTypes, UnknownEvent
from shared.schemas.goal_changes import GoalRescheduled, GoalRetargeted, GoalRetitled
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_plans import EVENTS
from shared.schemas.goal_ties import GoalHandedOver
from shared.schemas.goals import TOPIC, GoalSet
from shared.schemas.identifiers import SYSTEM, GoalId, GoalPlanId, PersonId
from shared.schemas.personal_text import PersonalText

_METADATA: Final = MetaData()
STEPS: Final = Table(
    "goal_plan_steps",
    _METADATA,
    Column("plan", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False, comment="the event as it was published"),
    Column("by", Uuid, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
WORDINGS: Final = Table(
    "goal_wordings",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("title", Text),
    Column("sealed_title", Text),
    Column("metric", JSONB),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("by", Uuid, nullable=False),
    comment="what each event changed in a goal's words, metric and dates; null: nothing; by the system: sealed anew",
)
_TYPES: Final = EventTypes.of(EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a plan, by whom and when."""

    version: int
    event: Event | UnknownEvent
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A goal's words at one of its versions; `titled_by` wrote the title, `targeted_by` set the metric."""

    title: str | PersonalText
    metric: Metric | None
    starts_on: date
    ends_on: date
    titled_by: PersonId
    targeted_by: PersonId | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Steps and wordings are written once and never change."""
    steps = [_step(record) for record in events if isinstance(record.event, EVENTS)]
    wordings = [row for record in events if (row := _wording(record)) is not None]
    for table, rows in ((STEPS, steps), (WORDINGS, wordings)):
        if rows:
            await connection.execute(insert(table).on_conflict_do_nothing(), rows)


def _step(record: Recorded) -> dict[str, Any]:
    return {
        "plan": record.stream_id,
        "version": record.version,
        "type": record.event.event_type,
        "data": record.event.model_dump_json(),
        "by": record.envelope.actor,
        "at": record.envelope.time,
    }


def _wording(record: Recorded) -> dict[str, Any] | None:
    nothing: dict[str, Any] = dict.fromkeys(("title", "sealed_title", "metric", "starts_on", "ends_on"))
    key = {"goal": record.stream_id, "version": record.version, "by": record.envelope.actor}
    match record.event:
        case GoalSet() as event:
            return {**nothing, **key, **_titled(event.title), **_targeted(event.metric), **_dated(event)}
        case GoalRetitled() as event:
            return {**nothing, **key, **_titled(event.title)}
        case GoalHandedOver() as event:
            return {**nothing, **key, **_titled(event.title), "by": SYSTEM}
        case GoalRetargeted() as event:
            return {**nothing, **key, **_targeted(event.metric)}
        case GoalRescheduled() as event:
            return {**nothing, **key, **_dated(event)}
        case _:
            return None


def _titled(title: str | PersonalText) -> dict[str, Any]:
    return {"sealed_title": title.model_dump_json()} if isinstance(title, PersonalText) else {"title": title}


def _targeted(metric: Metric | None) -> dict[str, Any]:
    return {"metric": None if metric is None else metric.model_dump(mode="json")}


def _dated(event: GoalSet | GoalRescheduled) -> dict[str, Any]:
    return {"starts_on": event.starts_on, "ends_on": event.ends_on}


async def steps(connection: AsyncConnection, plan: GoalPlanId, *, after: int | None, limit: int) -> list[Step]:
    """A plan's steps, the first one first."""
    query = select(STEPS).where(STEPS.c.plan == plan).order_by(STEPS.c.version).limit(limit)
    if after is not None:
        query = query.where(STEPS.c.version > after)
    return [_read(dict(row)) for row in (await connection.execute(query)).mappings()]


def _read(row: Mapping[str, Any]) -> Step:
    event = _TYPES.decode(row["type"], row["data"])
    return Step(version=row["version"], event=event, by=row["by"], at=row["at"])


async def wordings(
    connection: AsyncConnection, seen: Iterable[tuple[GoalId, int]]
) -> dict[tuple[GoalId, int], Wording]:
    """The words of goals as they were at these versions."""
    wanted = set(seen)
    query = select(WORDINGS).where(WORDINGS.c.goal.in_({goal for goal, _ in wanted})).order_by(WORDINGS.c.version)
    rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    return {
        (goal, version): wording
        for goal, version in wanted
        if (wording := _folded([row for row in rows if row["goal"] == goal and row["version"] <= version])) is not None
    }


def _folded(rows: Sequence[Mapping[str, Any]]) -> Wording | None:
    known: dict[str, Any] = {"metric": None, "targeted_by": None}
    for row in rows:
        known |= _titles(row)
        if row["metric"] is not None:
            known |= {"metric": Metric.model_validate(row["metric"]), "targeted_by": row["by"]}
        if row["starts_on"] is not None:
            known |= {"starts_on": row["starts_on"], "ends_on": row["ends_on"]}
    return Wording(**known) if rows else None


def _titles(row: Mapping[str, Any]) -> dict[str, Any]:
    """A goal that is handed over keeps its words and who wrote them: they are sealed anew, for its next owner."""
    author = {} if row["by"] == SYSTEM else {"titled_by": row["by"]}
    if row["sealed_title"] is not None:
        return {"title": PersonalText.model_validate_json(row["sealed_title"]), **author}
    return {} if row["title"] is None else {"title": row["title"], **author}


PROJECTION: Final = Projection(
    name="plan_steps",
    version=2,
    topics=(TOPIC,),
    tables=(STEPS, WORDINGS),
    apply=apply,
    events=(*EVENTS, GoalSet, GoalRetitled, GoalHandedOver, GoalRetargeted, GoalRescheduled),
)
