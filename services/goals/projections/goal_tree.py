"""Goal tree: every goal with its place, its measurement, and the progress that rolls up from the goals below it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Text, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import Node, recomputed
from services.goals.projections.goal_rows import BY_CHILDREN, GOALS, GoalState, row_after, rows, write
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalId

_LOCK: Final = func.pg_advisory_xact_lock(func.hashtextextended(func.current_schema().cast(Text), 6120843917))
"""The advisory lock of the tree: goals of other partitions feed the same parents. A tree built anew has its own."""


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
    await write(connection, after.values())
    touched = [*before.values(), *after.values()]
    await _roll_up(connection, {place for row in touched for place in (row.goal, row.parent) if place is not None})


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
    query = select(
        c.goal, c.parent, c.weight, c.state != GoalState.CANCELLED, BY_CHILDREN, c.own_progress, c.progress
    ).where(where)
    return [Node(*row) for row in await connection.execute(query)]


PROJECTION: Final = Projection(name="goal_tree", version=2, topics=(TOPIC,), tables=(GOALS,), apply=apply)
