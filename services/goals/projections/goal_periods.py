"""Goal periods: how a goal stood from when to when, and for how long that was what was known of it."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

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
    any_,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.projections.goal_past import Fact
from services.goals.projections.goal_stretches import FOREVER, Known, Rows, known_by
from shared.eventsourcing import bulk
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goals import TOPIC, TYPES
from shared.schemas.identifiers import GoalId

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
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("measured_at", DateTime(timezone=True)),
    Column("said_health", Text, comment="what a person had said; null: nothing, or it had lapsed"),
    Column("said_progress", Numeric, comment="of the goal, when they said it"),
    Index("goal_periods_by_parent", "parent"),
    Index("goal_periods_by_owner", "owner"),
    Index("goal_periods_by_children", "goal", postgresql_where=text("by_children")),
)
_OF_GOALS: Final[Select[Any]] = (
    select(FACTS)
    .where(FACTS.c.goal == any_(bindparam("goals", type_=ARRAY(Uuid))))
    .order_by(FACTS.c.goal, FACTS.c.version)
)
_LAST_OF_GOALS: Final = text("""select f.goal, f.version, f.known_at from unnest(cast(:goals as uuid[])) of_goal,
    lateral (select * from goal_facts where goal = of_goal order by version desc limit 1) f""")
_STANDING: Final = select(PERIODS.c.goal, PERIODS.c.valid_from, PERIODS.c.known_from).where(
    PERIODS.c.goal == any_(bindparam("goals", type_=ARRAY(Uuid))), PERIODS.c.known_to == FOREVER
)
_MOST_REMEMBERED: Final = 20_000
"""Changes of goals that a process remembers, some 2 KiB each."""


class _Remembered:
    """What is known of the goals told of lately, so that a goal that is measured often is not read again each time.

    What is known is a function of the stream up to an event: it is taken where the tables end with that very event.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[GoalId, Known] = OrderedDict()
        self._changes = 0

    async def of(self, connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, Known]:
        last = {GoalId(row.goal): row for row in await connection.execute(_LAST_OF_GOALS, {"goals": list(goals)})}
        found = {goal: known for goal in last if (known := self._taken(goal, last[goal])) is not None}
        return found | await _read_again(connection, last.keys() - found.keys())

    def _taken(self, goal: GoalId, last: Any) -> Known | None:
        """It is taken out: a transaction that fails leaves nothing here."""
        known = self._known.pop(goal, None)
        if known is None:
            return None
        self._changes -= len(known.course)
        same = known.last is not None and (known.last.version, known.last.known_at) == (last.version, last.known_at)
        return known if same else None

    def keep(self, goal: GoalId, known: Known) -> None:
        if (former := self._known.pop(goal, None)) is not None:
            self._changes -= len(former.course)
        self._known[goal] = known
        self._changes += len(known.course)
        while self._changes > _MOST_REMEMBERED and len(self._known) > 1:
            self._changes -= len(self._known.popitem(last=False)[1].course)


_REMEMBERED: Final = _Remembered()


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A goal's rows are fed by its own stream alone, which is in one partition."""
    told = [recorded for recorded in events if recorded.envelope.category == "goal"]
    if not told:
        return
    known = await _REMEMBERED.of(connection, _known_before(told))
    new: list[Fact] = []
    rows = Rows()
    for goal, history in groupby(sorted(told, key=lambda one: one.stream), key=lambda one: GoalId(one.stream_id)):
        so_far = known.get(goal) or Known(goal)
        facts = list(_facts(history, so_far.last))
        if so_far.last is not None and facts[0].known_at == so_far.last.known_at:
            so_far = await _known_at_once(connection, goal, facts)
        else:
            if not so_far.reaches_back_to(facts):
                so_far = (await _read_again(connection, [goal]))[goal]
            rows |= so_far.add(facts)
        new.extend(facts)
        _REMEMBERED.keep(goal, so_far)
    await bulk.add(connection, FACTS, [_columns(fact) for fact in new])
    await bulk.put(connection, PERIODS, list(rows.values()))


async def _known_at_once(connection: AsyncConnection, goal: GoalId, facts: Sequence[Fact]) -> Known:
    """Facts of the very moment of those before are known together with them: the goal's rows are made again."""
    everything = [*(await facts_of(connection, [goal])).get(goal, ()), *facts]
    known = Known(goal)
    await connection.execute(delete(PERIODS).where(PERIODS.c.goal == goal))
    await bulk.put(connection, PERIODS, list(known.add(everything).values()))
    return known


async def _read_again(connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, Known]:
    """What the tables say of these goals."""
    if not goals:
        return {}
    known_from = defaultdict[GoalId, dict[datetime, datetime]](dict)
    for row in await connection.execute(_STANDING, {"goals": list(goals)}):
        known_from[row.goal][row.valid_from] = row.known_from
    facts = await facts_of(connection, goals)
    return {goal: known_by(goal, told, known_from[goal]) for goal, told in facts.items()}


def _known_before(told: Iterable[Recorded]) -> set[GoalId]:
    """The goals of which something was told before."""
    return {GoalId(one.stream_id) for one in told} - {GoalId(one.stream_id) for one in told if one.version == 1}


def _facts(history: Iterable[Recorded], before: Fact | None) -> Iterable[Fact]:
    """Clocks of several machines differ: what comes later in the stream happened, and was known, no earlier."""
    occurred_at, known_at = (before.occurred_at, before.known_at) if before else (None, None)
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


PROJECTION: Final = Projection(name="goal_periods", version=2, topics=(TOPIC,), tables=(FACTS, PERIODS), apply=apply)
