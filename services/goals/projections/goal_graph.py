"""The goal graph: which goal is under which, written with the events themselves, so that no cycle can ever arise.

Whoever puts a goal elsewhere, moves its dates, closes or reopens it takes the lock before anything is read, decides,
and then calls `write`: what was read here holds until the transaction ends. Progress takes no lock and reads nothing.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_dates import ChildDates
from services.goals.domain.goal_states import Active, Cancelled, Goal, NotSet
from shared.eventsourcing.decision import Decision
from shared.schemas.goals import TYPES, GoalProgressRecorded
from shared.schemas.identifiers import GoalId

_METADATA: Final = MetaData()
GRAPH: Final = Table(
    "goal_graph",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("parent", Uuid),
    Column("weight_by_hand", Boolean, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("state", Text, nullable=False, comment="active, closed or cancelled"),
    Index("goal_graph_by_parent", "parent", "weight_by_hand", "goal"),
)
CONTRIBUTIONS: Final = Table(
    "goal_contributions",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("contributes_to", Uuid, primary_key=True),
    Index("goal_contributions_by_target", "contributes_to"),
)
LOCK: Final = Table("goal_graph_lock", _METADATA, Column("id", SmallInteger, primary_key=True))
_EVENTS: Final = text(
    "select stream, type, data from events where stream like 'goal-%' and type <> :progress order by stream, version"
)


_TURNS: Final[WeakKeyDictionary[AsyncEngine, asyncio.Lock]] = WeakKeyDictionary()


def turn(engine: AsyncEngine) -> asyncio.Lock:
    """In each process who is to take the graph's lock waits here first, and holds no connection meanwhile.

    Else a few who wait for each other would keep everybody else from the database, progress too.
    """
    return _TURNS.setdefault(engine, asyncio.Lock())


async def lock(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else moves, closes or sets a goal: who does so at the same moment waits."""
    await connection.execute(select(LOCK.c.id).with_for_update())


async def lock_for_setting(connection: AsyncConnection) -> None:
    """Others set goals meanwhile: nothing is below a goal that is not there yet. Nobody moves or closes one."""
    await connection.execute(select(LOCK.c.id).with_for_update(read=True))


async def ancestors(connection: AsyncConnection, goal: GoalId) -> list[GoalId]:
    """The goals above a goal over both kinds of link, the nearest first."""
    links = union_all(
        select(GRAPH.c.goal, GRAPH.c.parent.label("above")).where(GRAPH.c.parent.is_not(None)),
        select(CONTRIBUTIONS.c.goal, CONTRIBUTIONS.c.contributes_to.label("above")),
    ).subquery()
    climb = select(links.c.goal, links.c.above).where(links.c.goal == goal).cte("climb", recursive=True)
    climb = climb.union(select(links.c.goal, links.c.above).where(links.c.goal == climb.c.above))
    above: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in await connection.execute(select(climb)):
        above[row.goal].append(row.above)
    return _nearest_first(goal, above)


def _nearest_first(goal: GoalId, above: Mapping[UUID, Collection[UUID]]) -> list[GoalId]:
    found: list[GoalId] = []
    waiting = deque([UUID(int=goal.int)])
    while waiting:
        for one in sorted(above.get(waiting.popleft(), ())):
            if one not in found:
                found.append(GoalId(one))
                waiting.append(one)
    return found


async def dates_below(connection: AsyncConnection, goal: GoalId) -> ChildDates | None:
    """What the goals below span; cancelled ones need no room."""
    spanned = select(func.min(GRAPH.c.starts_on), func.max(GRAPH.c.ends_on))
    row = (await connection.execute(spanned.where(GRAPH.c.parent == goal, GRAPH.c.state != "cancelled"))).one()
    return None if row[0] is None else ChildDates(starts_on=row[0], ends_on=row[1])


async def open_children(connection: AsyncConnection, goal: GoalId) -> list[GoalId]:
    """The open goals whose parent this one is, in key order."""
    query = select(GRAPH.c.goal).where(GRAPH.c.parent == goal, GRAPH.c.state == "active").order_by(GRAPH.c.goal)
    return [GoalId(child) for child in await connection.scalars(query)]


async def below(connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, list[GoalId]]:
    """Of these goals and all below them, over primary links: which goals are directly below each, in key order."""
    links = select(GRAPH.c.parent, GRAPH.c.goal)
    descend = links.where(GRAPH.c.parent.in_(goals)).cte("descend", recursive=True)
    descend = descend.union(links.where(GRAPH.c.parent == descend.c.goal))
    found: defaultdict[GoalId, list[GoalId]] = defaultdict(list)
    for row in await connection.execute(select(descend).order_by(descend.c.goal)):
        found[GoalId(row.parent)].append(GoalId(row.goal))
    return found


async def goals_among(connection: AsyncConnection, identities: Collection[UUID]) -> set[GoalId]:
    """Those of the ids that are goals'."""
    query = select(GRAPH.c.goal).where(GRAPH.c.goal == any_(bindparam("ids", list(identities), type_=ARRAY(Uuid))))
    return {GoalId(goal) for goal in await connection.scalars(query)}


async def weighed_children(connection: AsyncConnection, parent: GoalId) -> dict[GoalId, bool]:
    """The goals below that count, in key order, each with whether its weight was said."""
    query = select(GRAPH.c.goal, GRAPH.c.weight_by_hand).where(GRAPH.c.parent == parent, GRAPH.c.state != "cancelled")
    return {GoalId(row.goal): row.weight_by_hand for row in await connection.execute(query.order_by(GRAPH.c.goal))}


async def resting_on(connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, int]:
    """How many goals that are not cancelled hang below each of these, or contribute to it; none is left out."""
    below = select(GRAPH.c.parent.label("above"), GRAPH.c.state).where(GRAPH.c.parent.in_(goals))
    links = select(CONTRIBUTIONS.c.contributes_to.label("above"), GRAPH.c.state)
    links = links.join(GRAPH, GRAPH.c.goal == CONTRIBUTIONS.c.goal).where(CONTRIBUTIONS.c.contributes_to.in_(goals))
    resting = union_all(below, links).subquery()
    query = select(resting.c.above, func.count()).where(resting.c.state != "cancelled").group_by(resting.c.above)
    return {GoalId(goal): number for goal, number in await connection.execute(query)}


async def place_in_turn(connection: AsyncConnection, parent: GoalId) -> None:
    """Until the transaction ends nobody else puts a goal under this one: weights of both kinds would meet."""
    await connection.execute(select(GRAPH.c.goal).where(GRAPH.c.goal == parent).with_for_update())


async def write(decision: Decision) -> None:
    """Write what the decision did to goals, in the transaction that appends the events which say so."""
    changed = {
        GoalId(change.identity): change.state
        for change in decision.changes.values()
        if change.decider is GOAL and change.events
    }
    await _write(decision.connection, changed)


async def _write(connection: AsyncConnection, goals: Mapping[GoalId, Goal]) -> None:
    nodes = [_node(goal, state) for goal, state in sorted(goals.items()) if not isinstance(state, NotSet)]
    if not nodes:
        return
    placing = insert(GRAPH)
    new = {column.name: placing.excluded[column.name] for column in GRAPH.columns if column.name != "goal"}
    await connection.execute(placing.on_conflict_do_update(index_elements=[GRAPH.c.goal], set_=new), nodes)
    known = delete(CONTRIBUTIONS).where(CONTRIBUTIONS.c.goal == bindparam("of"))
    await connection.execute(known, [{"of": node["goal"]} for node in nodes])
    if links := list(_links(goals)):
        await connection.execute(insert(CONTRIBUTIONS), links)


def _node(goal: GoalId, state: Goal) -> dict[str, Any]:
    if isinstance(state, NotSet):
        raise TypeError(f"goal {goal} was never set")
    was = state if isinstance(state, Active) else state.was
    return {
        "goal": goal,
        "parent": was.parent,
        "weight_by_hand": was.weight_by_hand,
        "starts_on": was.starts_on,
        "ends_on": was.ends_on,
        "state": "active" if was is state else "cancelled" if isinstance(state, Cancelled) else "closed",
    }


def _links(goals: Mapping[GoalId, Goal]) -> Iterable[dict[str, Any]]:
    for goal, state in goals.items():
        if isinstance(state, NotSet):
            continue
        was = state if isinstance(state, Active) else state.was
        yield from ({"goal": goal, "contributes_to": to} for to in was.contributes_to)


async def rebuild(connection: AsyncConnection) -> None:
    """Write the graph again from the events."""
    await lock(connection)
    await connection.execute(CONTRIBUTIONS.delete())
    await connection.execute(GRAPH.delete())
    stored = await connection.execute(_EVENTS, {"progress": GoalProgressRecorded.event_type})
    for stream, rows in groupby(stored, key=lambda row: row.stream):
        state: Any = GOAL.initial
        for row in rows:
            state = GOAL.evolve(state, TYPES.decode(row.type, row.data))
        await _write(connection, {GoalId(UUID(stream.split("-", 1)[1])): state})
