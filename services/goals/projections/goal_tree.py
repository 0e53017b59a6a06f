"""Goal tree: every goal with its place, its measurement, and the progress that rolls up from the goals below it."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Select, Text, Uuid, any_, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import Measured, Node, recomputed
from services.goals.projections.goal_rows import (
    BY_CHILDREN,
    GOALS,
    GoalRow,
    GoalState,
    histories,
    rows,
    rows_after,
    write,
)
from shared.eventsourcing import bulk
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalId

_LOCK: Final = select(func.pg_advisory_xact_lock(func.hashtextextended(func.current_schema().cast(Text), 6120843917)))
"""The advisory lock of the tree: goals of other partitions feed the same parents. A tree built anew has its own."""
_GIVEN: Final = GOALS.c.goal == any_(bindparam("goals", type_=ARRAY(Uuid)))
_OF_GOALS: Final = select(GOALS).where(_GIVEN)


def _affected() -> Select[*tuple[Any, ...]]:
    """The given goals and everything above them, each with what its other children add up to.

    UNION ends the walk where it meets itself.
    """
    goal, child = GOALS.c, GOALS.alias("child").c
    climb = select(goal.goal, goal.parent).where(_GIVEN).cte("climb", recursive=True)
    climb = climb.union(select(goal.goal, goal.parent).where(goal.goal == climb.c.parent))
    counts = [child.state != GoalState.CANCELLED, child.progress.is_not(None)]
    sums = (func.sum(child.weight).label("weight"), func.sum(child.weight * child.progress).label("weighted"))
    others = select(*sums).where(child.parent == climb.c.goal, *counts, child.goal.not_in(select(climb.c.goal)))
    other = others.lateral("other")
    own = (goal.goal, goal.parent, goal.weight, goal.state != GoalState.CANCELLED)
    joined = climb.join(GOALS, goal.goal == climb.c.goal).join(other, true())
    progress = (BY_CHILDREN, goal.own_progress, goal.progress)
    return select(*own, *progress, other.c.weight, other.c.weighted).select_from(joined)


_AFFECTED: Final = _affected()


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Write the goals of the slice, then compute what they touch once, from the bottom up.

    Every slice takes the tree's lock before it reads anything: a parent is fed by goals of all partitions.
    """
    await connection.execute(_LOCK)
    await apply_alone(connection, events)


async def apply_alone(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """`apply`, for a caller that knows that no other slice is being applied."""
    told = histories(events)
    before = {row.goal: row for row in await rows(connection, _OF_GOALS, goals=list(told))}
    after = rows_after(before, told)
    await write(connection, after.values())
    above = {row.parent for row in (*before.values(), *after.values()) if row.parent is not None}
    await _roll_up(connection, above | {row.goal for row in after.values() if not _is_settled(row)})


def _is_settled(row: GoalRow) -> bool:
    """It measures itself, and its progress is that already: no roll-up would change it."""
    return row.measured_by != MeasuredBy.CHILDREN.value and _same(row.progress, row.own_progress)


async def _roll_up(connection: AsyncConnection, dirty: Collection[GoalId]) -> None:
    """Compute these goals and everything above them, and write what that changes."""
    if not dirty:
        return
    affected: list[Node] = []
    others: dict[GoalId, Measured] = {}
    for *columns, weight, weighted in await connection.execute(_AFFECTED, {"goals": list(dirty)}):
        affected.append(node := Node(*columns))
        if weight is not None:
            others[node.goal] = Measured(weight, weighted)
    now = recomputed(affected, others)
    changed = [node.goal for node in affected if not _same(node.progress, now[node.goal])]
    await bulk.change(connection, GOALS, [{"goal": goal, "progress": now[goal]} for goal in changed])


def _same(one: Decimal | None, other: Decimal | None) -> bool:
    """Also as they are written: a tree built anew would else show 90 where this one shows 90.0, and differ."""
    return str(one) == str(other)


PROJECTION: Final = Projection(name="goal_tree", version=3, topics=(TOPIC,), tables=(GOALS,), apply=apply)
