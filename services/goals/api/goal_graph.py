"""The goal graph: which goal is under which, written with the events themselves, so that no cycle can ever arise."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, MetaData, SmallInteger, Table, Uuid, select, text
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
    Column("weight_by_hand", Boolean, nullable=False),
    Index("goal_graph_by_parent", "parent", "weight_by_hand", "goal"),
)
LOCK: Final = Table("goal_graph_lock", _METADATA, Column("id", SmallInteger, primary_key=True))
_REBUILD: Final = text(
    """insert into goal_graph (goal, parent, weight_by_hand)
         select distinct on (stream) substr(stream, length('goal-') + 1)::uuid, (data::jsonb ->> 'parent')::uuid,
                coalesce((data::jsonb ->> 'weight_by_hand')::boolean, false)
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


async def children_weighed(connection: AsyncConnection, parent: GoalId, *, by_hand: bool) -> list[GoalId]:
    """The goals below a goal whose weight was said, or was not; closed ones too."""
    query = select(GRAPH.c.goal).where(GRAPH.c.parent == parent, GRAPH.c.weight_by_hand == by_hand)
    return [GoalId(child) for child in await connection.scalars(query.order_by(GRAPH.c.goal))]


async def place_in_turn(connection: AsyncConnection, parent: GoalId) -> None:
    """Until the transaction ends nobody else puts a goal under this one: weights of both kinds would meet."""
    await connection.execute(select(GRAPH.c.goal).where(GRAPH.c.goal == parent).with_for_update())


async def place(connection: AsyncConnection, goal: GoalId, parent: GoalId | None, *, by_hand: bool) -> None:
    """Put a goal under a parent, in the transaction that appends the event which says so."""
    placed = {"parent": parent, "weight_by_hand": by_hand}
    placing = insert(GRAPH).values(goal=goal, **placed)
    await connection.execute(placing.on_conflict_do_update(index_elements=[GRAPH.c.goal], set_=placed))


async def rebuild(connection: AsyncConnection) -> None:
    """Write the graph again from the events."""
    await lock(connection)
    await connection.execute(GRAPH.delete())
    await connection.execute(_REBUILD, {"types": [GoalSet.event_type, GoalAligned.event_type]})
