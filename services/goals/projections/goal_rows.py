"""Goal rows: what the goal tree keeps of a goal, and what an event of its stream does to that."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    not_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.projections.goal_row_changes import belonging, reckoned, worded
from shared.eventsourcing import bulk
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_health import GoalHealthSet, Health
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy, Metric
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString


class GoalState(StrEnum):
    """Where a goal is in its life."""

    ACTIVE = "active"
    ACHIEVED = "achieved"
    MISSED = "missed"
    CANCELLED = "cancelled"


GOALS: Final = Table(
    "goal_tree",
    MetaData(),
    Column("goal", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("owner", Uuid, nullable=False),
    Column("team", Text),
    Column("title", Text),
    Column("sealed_title", Text, comment="of a person's goal, as in the event"),
    Column("metric", JSONB(none_as_null=True)),
    Column("measured_by", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("parent", Uuid),
    Column("weight", Numeric, nullable=False),
    Column("weight_by_hand", Boolean, nullable=False),
    Column("value", Numeric),
    Column("own_progress", Numeric),
    Column("raw_progress", Numeric),
    Column("regressed", Boolean, nullable=False),
    Column("measured_at", DateTime(timezone=True)),
    Column("said_health", JSONB(none_as_null=True), comment="what a person said last; null: nothing, or it has lapsed"),
    Column("closed_on", Date),
    Column("progress", Numeric),
    Column("expired", Boolean, nullable=False),
    Column("visibility", Text, comment="null: as is usual at its level"),
    Column("contributors", ARRAY(Uuid), nullable=False),
    Index("goal_tree_by_parent", "parent", "goal"),
    Index("goal_tree_by_owner", "owner", "goal"),
    Index("goal_tree_by_contributor", "contributors", postgresql_using="gin"),
)


_SIGNED: Final = and_(GOALS.c.state.not_in([GoalState.ACTIVE, GoalState.CANCELLED]), GOALS.c.own_progress.is_not(None))
"""Who closed it signed the figure."""
BY_CHILDREN: Final = and_(GOALS.c.measured_by == MeasuredBy.CHILDREN.value, not_(_SIGNED))
"""Its progress is that of the goals below it: until it is closed with a figure, which then stays."""


class SaidHealth(BaseModel):
    """What a person said of a goal's health, why, and what its progress was then, in percent."""

    model_config = ConfigDict(frozen=True)

    health: Health
    reason: PersonalText | str
    progress: DecimalString | None
    said_at: datetime
    said_by: PersonId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """A goal as it stands; a figure that is None is "not measured".

    `own_progress` is its own measurement, capped, `raw_progress` the same as it is, and `progress` what counts.
    `expired`: its last day has passed, and nobody has closed it yet.
    """

    goal: GoalId
    version: int
    state: GoalState
    level: str
    owner: PersonId
    team: str | None
    title: str | PersonalText
    metric: Metric | None
    measured_by: str
    starts_on: date
    ends_on: date
    parent: GoalId | None
    weight: Decimal
    weight_by_hand: bool
    value: Decimal | None
    own_progress: Decimal | None
    raw_progress: Decimal | None = None
    regressed: bool = False
    measured_at: datetime | None = None
    said_health: SaidHealth | None = None
    closed_on: date | None = None
    progress: Decimal | None = None
    expired: bool = False
    visibility: str | None = None
    contributors: Sequence[PersonId] = ()


def histories(events: Sequence[Recorded]) -> dict[GoalId, list[Recorded]]:
    """The goals' events, goal by goal, in their order; an id is read once a stream."""
    streams = defaultdict[str, list[Recorded]](list)
    for recorded in events:
        streams[recorded.stream].append(recorded)
    found = (history for history in streams.values() if history[0].envelope.category == "goal")
    return {GoalId(history[0].stream_id): history for history in found}


def rows_after(
    before: Mapping[GoalId, GoalRow], histories: Mapping[GoalId, Sequence[Recorded]]
) -> dict[GoalId, GoalRow]:
    """Each goal's row after these events of its stream; no row where there is no goal.

    A goal that had its own progress is taken to have it still: the roll-up corrects that where goals are below it.
    """
    after: dict[GoalId, GoalRow] = {}
    for goal, history in histories.items():
        row = values_of(before.get(goal))
        for recorded in history:
            if isinstance(recorded.event, GoalSet):
                row = values_of(first_row(goal, recorded.version, recorded.event))
            elif row:
                own = row["progress"] == row["own_progress"]
                row |= {"version": recorded.version, **changes(row, recorded.event), **_said(recorded)}
                row["progress"] = row["own_progress"] if own else row["progress"]
        if row:
            after[goal] = GoalRow(**row)
    return after


def values_of(row: GoalRow | None) -> dict[str, Any]:
    """The row as it is changed event by event: to make a frozen one each time would cost more than the rest."""
    return {} if row is None else {field.name: getattr(row, field.name) for field in fields(row)}


def changes(row: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """What the event changes in the row, column by column."""
    match event:
        case GoalAligned():
            return {"parent": event.parent, "weight": event.weight, "weight_by_hand": event.weight_by_hand}
        case GoalProgressRecorded():
            return _measured(row, event)
        case GoalAchieved():
            return {"state": GoalState.ACHIEVED, **_closed(event)}
        case GoalMissed():
            return {"state": GoalState.MISSED, **_closed(event)}
        case GoalReopened():
            figures = {"value": event.value, "own_progress": event.progress}
            return {"state": GoalState.ACTIVE, "closed_on": None, "expired": False, **figures}
        case GoalCancelled():
            return {"state": GoalState.CANCELLED, "expired": False}
        case GoalMeasureChosen():
            return {"measured_by": event.measured_by.value}
        case GoalExpired():
            return {"expired": True}
        case _:
            return {**worded(event), **belonging(row["contributors"], event), **reckoned(event)}


def _said(recorded: Recorded) -> dict[str, Any]:
    """What a person says of its health is kept with who said it and when."""
    event, envelope = recorded.event, recorded.envelope
    if not isinstance(event, GoalHealthSet):
        return {}
    said = SaidHealth(
        health=event.health,
        reason=event.reason,
        progress=event.progress,
        said_at=envelope.time,
        said_by=envelope.actor,
    )
    return {"said_health": said}


def _measured(row: Mapping[str, Any], event: GoalProgressRecorded) -> dict[str, Any]:
    """A late measurement leaves the goal where it is; of bounds to keep it changes the share.

    What a person said of its health lapses.
    """
    progress = {
        "said_health": None,
        "own_progress": event.progress,
        "raw_progress": event.raw_progress,
        "regressed": event.regressed,
    }
    if not event.late:
        return {"value": event.value, "measured_at": event.measured_at, **progress}
    metric: Metric | None = row["metric"]
    return progress if metric is not None and metric.keep is not None else {"said_health": None}


def _closed(event: GoalAchieved | GoalMissed) -> dict[str, Any]:
    return {"closed_on": event.closed_on, "expired": False, "value": event.value, "own_progress": event.progress}


def first_row(goal: GoalId, version: int, event: GoalSet) -> GoalRow:
    own = None if event.metric is None or event.metric.start is None else Decimal(0)
    return GoalRow(
        goal=goal,
        version=version,
        state=GoalState.ACTIVE,
        level=event.level.value,
        owner=event.owner,
        team=event.team,
        title=event.title,
        metric=event.metric,
        measured_by=event.source.value,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        parent=event.parent,
        weight=event.weight,
        weight_by_hand=event.weight_by_hand,
        value=event.metric.start if event.metric else None,
        own_progress=own,
        progress=own,
        visibility=event.visibility,
        contributors=event.contributors,
    )


async def rows(connection: AsyncConnection, query: Select[Any], **parameters: Any) -> list[GoalRow]:
    """The goals that a query over `GOALS` finds."""
    return [_row(row) for row in (await connection.execute(query, parameters)).mappings()]


def _row(columns: RowMapping) -> GoalRow:
    values: dict[str, Any] = {**columns, "state": GoalState(columns["state"])}
    sealed = values.pop("sealed_title")
    if sealed is not None:
        values["title"] = PersonalText.model_validate_json(sealed)
    if values["metric"] is not None:
        values["metric"] = Metric.model_validate(values["metric"])
    if values["said_health"] is not None:
        values["said_health"] = SaidHealth.model_validate(values["said_health"])
    return GoalRow(**values)


def _columns(row: GoalRow) -> dict[str, Any]:
    sealed = row.title.model_dump_json() if isinstance(row.title, PersonalText) else None
    return {
        **values_of(row),
        "title": None if sealed else row.title,
        "sealed_title": sealed,
        "metric": None if row.metric is None else row.metric.model_dump(mode="json"),
        "said_health": None if row.said_health is None else row.said_health.model_dump(mode="json"),
    }


async def write(connection: AsyncConnection, rows: Iterable[GoalRow]) -> None:
    await bulk.put(connection, GOALS, [_columns(row) for row in rows])
