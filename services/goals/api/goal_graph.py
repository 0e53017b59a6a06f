"""The goal graph: which goal is under which, written with the events themselves, so that no cycle can ever arise."""

from typing import Final

from sqlalchemy import Column, MetaData, SmallInteger, Table, Uuid, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.schemas.goals import GoalAligned, GoalSet
from shared.schemas.identifiers import GoalId

_METADATA: Final = MetaData()
GRAPH: Final = Table(
    "goal_graph",
    _METADATA,
    Column("goal", Uuid, primary_key=True),
    Column("parent", Uuid),
)
LOCK: Final = Table("goal_graph_lock", _METADATA, Column("id", SmallInteger, primary_key=True))
_REBUILD: Final = text(
    """insert into goal_graph (goal, parent)
         select distinct on (stream) substr(stream, length('goal-') + 1)::uuid, (data::jsonb ->> 'parent')::uuid
           from events where type = any(:types) order by stream, version desc"""
)


async def lock(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else moves a goal: two who re-parent at the same moment take turns."""
    await connection.execute(select(LOCK.c.id).with_for_update())


async def ancestors(connection: AsyncConnection, goal: GoalId) -> list[GoalId]:
    """The goals above a goal, the nearest first."""
    climb = select(GRAPH.c.goal, GRAPH.c.parent).where(GRAPH.c.goal == goal).cte("climb", recursive=True)
    climb = climb.union(select(GRAPH.c.goal, GRAPH.c.parent).where(GRAPH.c.goal == climb.c.parent))
    parent_of = {row.goal: row.parent for row in await connection.execute(select(climb))}
    above: list[GoalId] = []
    current = parent_of.get(goal)
    while current is not None and current not in above:
        above.append(GoalId(current))
        current = parent_of.get(current)
    return above


async def place(connection: AsyncConnection, goal: GoalId, parent: GoalId | None) -> None:
    """Put a goal under a parent, in the transaction that appends the event which says so."""
    placing = insert(GRAPH).values(goal=goal, parent=parent)
    await connection.execute(placing.on_conflict_do_update(index_elements=[GRAPH.c.goal], set_={"parent": parent}))


async def rebuild(connection: AsyncConnection) -> None:
    """Write the graph again from the events."""
    await lock(connection)
    await connection.execute(GRAPH.delete())
    await connection.execute(_REBUILD, {"types": [GoalSet.event_type, GoalAligned.event_type]})
