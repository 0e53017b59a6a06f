"""Goal periods: how a goal stood from when to when, and for how long that was what was known of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
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
    any_,
    bindparam,
    delete,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.projections.goal_past import Course, Fact, Past
from services.goals.projections.goal_rows import GoalState
from shared.eventsourcing import bulk
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import TOPIC, TYPES
from shared.schemas.identifiers import GoalId, PersonId

FOREVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when holds what nothing has ended."""
_METADATA: Final = MetaData()
FACTS: Final = Table(
    "goal_facts",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False, comment="the event as it was published"),
    Column("actor", Uuid, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False, comment="no earlier than the one before"),
    Column("known_at", DateTime(timezone=True), nullable=False, comment="no earlier than the one before"),
)
PERIODS: Final = Table(
    "goal_periods",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("valid_from", DateTime(timezone=True), primary_key=True),
    Column("known_from", DateTime(timezone=True), primary_key=True),
    Column("valid_to", DateTime(timezone=True), nullable=False),
    Column("known_to", DateTime(timezone=True), nullable=False),
    Column("parent", Uuid),
    Column("owner", Uuid, nullable=False),
    Column("level", Text, nullable=False),
    Column("team", Text),
    Column("state", Text, nullable=False),
    Column("expired", Boolean, nullable=False),
    Column("weight", Numeric, nullable=False),
    Column("by_children", Boolean, nullable=False),
    Column("own_progress", Numeric),
    Index("goal_periods_by_parent", "parent"),
    Index("goal_periods_by_owner", "owner"),
)
_OF_GOALS: Final[Select[Any]] = (
    select(FACTS)
    .where(FACTS.c.goal == any_(bindparam("goals", type_=ARRAY(Uuid))))
    .order_by(FACTS.c.goal, FACTS.c.version)
)


class Stood(NamedTuple):
    """What lists and the roll-up need of a goal for as long as it stood like this."""

    parent: GoalId | None
    owner: PersonId
    level: str
    team: str | None
    state: str
    expired: bool
    weight: Any
    by_children: bool
    own_progress: Any


class Period(NamedTuple):
    """From when to when in business time, the end not included; to be told apart as it is written: 90 is not 90.0."""

    valid_from: datetime
    valid_to: datetime
    stood: Stood
    written: str


class _Key(NamedTuple):
    goal: GoalId
    valid_from: datetime
    known_from: datetime


_Rows = dict[_Key, dict[str, Any]]


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A goal's rows are fed by its own stream alone, which is in one partition."""
    told = [recorded for recorded in events if recorded.envelope.category == "goal"]
    if not told:
        return
    known = await facts_of(connection, _known_before(told))
    new: dict[GoalId, list[Fact]] = {}
    for goal, history in groupby(sorted(told, key=lambda one: one.stream), key=lambda one: GoalId(one.stream_id)):
        new[goal] = list(_facts(history, known.get(goal, ())))
    await bulk.add(connection, FACTS, [_columns(fact) for facts in new.values() for fact in facts])
    before: _Rows = {}
    after: _Rows = {}
    for goal, facts in new.items():
        before |= periods(known.get(goal, ()))
        after |= periods([*known.get(goal, ()), *facts])
    await _replace(connection, before, after)


def _known_before(told: Iterable[Recorded]) -> set[GoalId]:
    """The goals of which something was told before."""
    return {GoalId(one.stream_id) for one in told} - {GoalId(one.stream_id) for one in told if one.version == 1}


def _facts(history: Iterable[Recorded], known: Sequence[Fact]) -> Iterable[Fact]:
    """Clocks of several machines differ: what comes later in the stream happened, and was known, no earlier."""
    occurred_at, known_at = (known[-1].occurred_at, known[-1].known_at) if known else (None, None)
    for one in history:
        envelope = one.envelope
        occurred_at = envelope.time if occurred_at is None else max(occurred_at, envelope.time)
        known_at = envelope.recorded_at if known_at is None else max(known_at, envelope.recorded_at)
        yield Fact(
            goal=GoalId(one.stream_id),
            version=one.version,
            event=one.event,
            occurred_at=occurred_at,
            known_at=known_at,
            actor=envelope.actor,
        )


def _columns(fact: Fact) -> dict[str, Any]:
    return {
        "goal": fact.goal,
        "version": fact.version,
        "type": fact.event.event_type,
        "data": fact.event.model_dump_json(),
        "actor": fact.actor,
        "occurred_at": fact.occurred_at,
        "known_at": fact.known_at,
    }


async def facts_of(connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, list[Fact]]:
    """All facts of these goals, in their order."""
    found = defaultdict[GoalId, list[Fact]](list)
    for row in (await connection.execute(_OF_GOALS, {"goals": list(goals)})).mappings() if goals else ():
        if (fact := _fact(row)) is not None:
            found[fact.goal].append(fact)
    return found


async def history(connection: AsyncConnection, goal: GoalId, *, after: int, limit: int) -> list[Fact]:
    """The goal's facts after a version, in their order."""
    query = select(FACTS).where(FACTS.c.goal == goal, FACTS.c.version > after).order_by(FACTS.c.version).limit(limit)
    facts = [_fact(row) for row in (await connection.execute(query)).mappings()]
    return [fact for fact in facts if fact is not None]


def _fact(row: RowMapping) -> Fact | None:
    values: dict[str, Any] = dict(row)
    event = TYPES.decode(values.pop("type"), values.pop("data"))
    return Fact(**values, event=event) if isinstance(event, Event) else None


def periods(facts: Sequence[Fact]) -> _Rows:
    """The goal's rows by all these facts: each stretch of business time, with the stretch of time it was known for.

    What was recorded at one moment was known at once.
    """
    course, standing, rows = Course(), dict[Period, datetime](), _Rows()
    for known_at, together in groupby(facts, key=lambda fact: fact.known_at):
        course.add(list(together))
        now = dict.fromkeys(_stretches(course))
        for period in [period for period in standing if period not in now]:
            _put(rows, facts[0].goal, period, standing.pop(period), known_at)
        standing |= {period: known_at for period in now if period not in standing}
    for period, known_from in standing.items():
        _put(rows, facts[0].goal, period, known_from, FOREVER)
    return rows


def _put(rows: _Rows, goal: GoalId, period: Period, known_from: datetime, known_to: datetime) -> None:
    rows[_Key(goal, period.valid_from, known_from)] = {
        "goal": goal,
        "valid_from": period.valid_from,
        "valid_to": period.valid_to,
        "known_from": known_from,
        "known_to": known_to,
        **period.stood._asdict(),
    }


def _stretches(course: Course) -> Iterable[Period]:
    """Neighbours that are alike are one."""
    changes: list[tuple[datetime, Stood, str]] = []
    for at, past in course.moments():
        stood = _stood(past)
        if not changes or changes[-1][2] != str(stood):
            changes.append((at, stood, str(stood)))
    ends = [at for at, _, _ in changes[1:]]
    for (at, stood, written), until in zip(changes, [*ends, FOREVER], strict=True):
        yield Period(at, until, stood, written)


def _stood(past: Past) -> Stood:
    values = past.values
    signed = values["state"] not in (GoalState.ACTIVE, GoalState.CANCELLED) and values["own_progress"] is not None
    return Stood(
        parent=values["parent"],
        owner=values["owner"],
        level=values["level"],
        team=values["team"],
        state=values["state"],
        expired=values["expired"],
        weight=values["weight"],
        by_children=values["measured_by"] == MeasuredBy.CHILDREN.value and not signed,
        own_progress=values["own_progress"],
    )


async def _replace(connection: AsyncConnection, before: _Rows, after: _Rows) -> None:
    gone = [key for key in before if key not in after]
    if gone:
        keys = [{f"gone_{name}": value for name, value in key._asdict().items()} for key in gone]
        await connection.execute(_GONE, keys)
    await bulk.put(connection, PERIODS, [row for key, row in after.items() if before.get(key) != row])


_GONE: Final = delete(PERIODS).where(*(PERIODS.c[name] == bindparam(f"gone_{name}") for name in _Key._fields))
PROJECTION: Final = Projection(name="goal_periods", topics=(TOPIC,), tables=(FACTS, PERIODS), apply=apply)
