"""Goal tree: every goal with its place, its measurement, and the progress that rolls up from the goals below it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
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
    bindparam,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import Node, recomputed
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.people.reporting_line import people_below
from shared.schemas.event import Event
from shared.schemas.goals import (
    TOPIC,
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalExpired,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
    Metric,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText


class GoalState(StrEnum):
    """Where a goal is in its life."""

    ACTIVE = "active"
    ACHIEVED = "achieved"
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
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("parent", Uuid),
    Column("weight", Numeric, nullable=False),
    Column("value", Numeric),
    Column("own_progress", Numeric),
    Column("regressed", Boolean, nullable=False),
    Column("measured_at", DateTime(timezone=True)),
    Column("closed_on", Date),
    Column("progress", Numeric),
    Column("expired", Boolean, nullable=False),
    Index("goal_tree_by_parent", "parent", "goal"),
    Index("goal_tree_by_owner", "owner", "goal"),
)
_LOCK: Final = func.pg_advisory_xact_lock(func.hashtextextended(func.current_schema().cast(Text), 6120843917))
"""The advisory lock of the tree: goals of other partitions feed the same parents. A tree built anew has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """A goal as it stands. `own_progress` is its own measurement, `progress` what counts; None is "not measured".

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
    starts_on: date
    ends_on: date
    parent: GoalId | None
    weight: Decimal
    value: Decimal | None
    own_progress: Decimal | None
    regressed: bool = False
    measured_at: datetime | None = None
    closed_on: date | None = None
    progress: Decimal | None = None
    expired: bool = False


def row_after(row: GoalRow | None, recorded: Recorded) -> GoalRow | None:
    """The goal's own part of its row after an event of its stream; None where there is no goal."""
    if isinstance(recorded.event, GoalSet):
        return _new_row(GoalId(recorded.stream_id), recorded.version, recorded.event)
    return None if row is None else replace(row, version=recorded.version, **_changed(recorded.event))


def _changed(event: Event) -> dict[str, Any]:
    match event:
        case GoalAligned():
            return {"parent": event.parent, "weight": event.weight}
        case GoalProgressRecorded():
            measured = {"regressed": event.regressed, "measured_at": event.measured_at}
            return {"value": event.value, "own_progress": event.progress, **measured}
        case GoalAchieved():
            final = {"value": event.value, "own_progress": event.progress}
            return {"state": GoalState.ACHIEVED, "closed_on": event.closed_on, "expired": False, **final}
        case GoalCancelled():
            return {"state": GoalState.CANCELLED, "expired": False}
        case GoalExpired():
            return {"expired": True}
        case _:
            return {}


def _new_row(goal: GoalId, version: int, event: GoalSet) -> GoalRow:
    return GoalRow(
        goal=goal,
        version=version,
        state=GoalState.ACTIVE,
        level=event.level.value,
        owner=event.owner,
        team=event.team,
        title=event.title,
        metric=event.metric,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        parent=event.parent,
        weight=event.weight,
        value=event.metric.start if event.metric else None,
        own_progress=Decimal(0) if event.metric else None,
    )


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Write the goals of the slice, then compute what they touch once, from the bottom up.

    Every slice takes the tree's lock before it reads anything: a parent is fed by goals of all partitions.
    """
    await connection.execute(select(_LOCK))
    await apply_alone(connection, events)


async def apply_alone(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """`apply`, for a caller that knows that no other slice is being applied."""
    goals = sorted({GoalId(recorded.stream_id) for recorded in events if recorded.envelope.category == "goal"})
    before = {row.goal: row for row in await rows(connection, select(GOALS).where(GOALS.c.goal.in_(goals)))}
    after = dict(before)
    for recorded in events:
        goal = GoalId(recorded.stream_id)
        if (row := row_after(after.get(goal), recorded)) is not None:
            after[goal] = row
    await _write(connection, after.values())
    touched = [*before.values(), *after.values()]
    await _roll_up(connection, {place for row in touched for place in (row.goal, row.parent) if place is not None})


async def rows(connection: AsyncConnection, query: Select[Any]) -> list[GoalRow]:
    """The goals that a query over `GOALS` finds."""
    return [_row(row) for row in (await connection.execute(query)).mappings()]


def _row(columns: RowMapping) -> GoalRow:
    values: dict[str, Any] = {**columns, "state": GoalState(columns["state"])}
    sealed = values.pop("sealed_title")
    if sealed is not None:
        values["title"] = PersonalText.model_validate_json(sealed)
    if values["metric"] is not None:
        values["metric"] = Metric.model_validate(values["metric"])
    return GoalRow(**values)


def _columns(row: GoalRow) -> dict[str, Any]:
    sealed = row.title.model_dump_json() if isinstance(row.title, PersonalText) else None
    return {
        **{field.name: getattr(row, field.name) for field in fields(row)},
        "title": None if sealed else row.title,
        "sealed_title": sealed,
        "metric": None if row.metric is None else row.metric.model_dump(mode="json"),
    }


async def _write(connection: AsyncConnection, rows: Iterable[GoalRow]) -> None:
    values = [_columns(row) for row in rows]
    if not values:
        return
    statement = insert(GOALS)
    new = {column.name: statement.excluded[column.name] for column in GOALS.columns if column.name != "goal"}
    await connection.execute(statement.on_conflict_do_update(index_elements=[GOALS.c.goal], set_=new), values)


async def _roll_up(connection: AsyncConnection, dirty: Collection[GoalId]) -> None:
    """Compute these goals and everything above them; UNION ends the walk where it meets itself."""
    if not dirty:
        return
    start = select(GOALS.c.goal, GOALS.c.parent).where(GOALS.c.goal.in_(dirty))
    climb = start.cte("climb", recursive=True)
    climb = climb.union(select(GOALS.c.goal, GOALS.c.parent).where(GOALS.c.goal == climb.c.parent))
    above = select(climb.c.goal)
    affected = await _nodes(connection, GOALS.c.goal.in_(above))
    children: defaultdict[GoalId, list[Node]] = defaultdict(list)
    for node in await _nodes(connection, GOALS.c.parent.in_(above)):
        if node.parent is not None:
            children[node.parent].append(node)
    now = recomputed(affected, children)
    changed = [{"of": node.goal, "is": now[node.goal]} for node in affected if now[node.goal] != node.progress]
    if changed:
        statement = update(GOALS).where(GOALS.c.goal == bindparam("of")).values(progress=bindparam("is"))
        await connection.execute(statement, changed)


async def _nodes(connection: AsyncConnection, where: ColumnElement[bool]) -> list[Node]:
    c = GOALS.c
    query = select(c.goal, c.parent, c.weight, c.state != GoalState.CANCELLED, c.own_progress, c.progress).where(where)
    return [Node(*row) for row in await connection.execute(query)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who asks. Everybody reads the organization's and the teams' goals.

    A person's goals are read by that person, by the managers above (`manages`), and by who reads everything.
    """

    person: PersonId
    manages: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which goals: None is any."""

    owner: PersonId | None = None
    level: GoalLevel | None = None
    state: GoalState | None = None
    parent: GoalId | None = None
    expired: bool | None = None
    roots: bool = False


async def find(connection: AsyncConnection, goal: GoalId) -> GoalRow | None:
    found = await rows(connection, select(GOALS).where(GOALS.c.goal == goal))
    return found[0] if found else None


async def readable(
    connection: AsyncConnection, reader: Reader, wanted: Filter, *, after: GoalId | None, limit: int
) -> list[GoalRow]:
    """The goals that the reader may see, the oldest first."""
    query = select(GOALS).where(_seen_by(reader), *_conditions(wanted)).order_by(GOALS.c.goal).limit(limit)
    return await rows(connection, query if after is None else query.where(GOALS.c.goal > after))


def _seen_by(reader: Reader) -> ColumnElement[bool]:
    if reader.everything:
        return true()
    seen = or_(GOALS.c.level != GoalLevel.PERSON.value, GOALS.c.owner == reader.person)
    return or_(seen, GOALS.c.owner.in_(people_below(reader.person))) if reader.manages else seen


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    named = ("owner", "level", "state", "parent", "expired")
    values = ((name, getattr(wanted, name)) for name in named)
    conditions: list[ColumnElement[bool]] = [GOALS.c[name] == value for name, value in values if value is not None]
    return [*conditions, GOALS.c.parent.is_(None)] if wanted.roots else conditions


PROJECTION: Final = Projection(name="goal_tree", topics=(TOPIC,), tables=(GOALS,), apply=apply)
