"""Past goals: how goals stood at a moment, as it was known at another, to who may see them today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Uuid, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import Measured, Node, recomputed
from services.goals.projections.goal_past import course_of
from services.goals.projections.goal_periods import FOREVER, PERIODS, facts_of
from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalRow, GoalState
from services.goals.projections.readable_goals import Filter, conditions
from shared.schemas.identifiers import GoalId, KpiId


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`at` in business time, as it was known at `known`; None: the last that there is of it."""

    at: datetime | None = None
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastGoal:
    """A goal at a moment, roll-up included, and the KPI that moved it then."""

    row: GoalRow
    kpi: KpiId | None


async def readable_then(
    connection: AsyncConnection,
    reader: Reader,
    wanted: Filter,
    *,
    moment: Moment,
    after: GoalId | None,
    limit: int,
) -> list[PastGoal]:
    """The goals that stood so then, of those that the reader may see today; the oldest first."""
    then = PERIODS.c
    query = select(then.goal).join(GOALS, GOALS.c.goal == then.goal).where(*_stood(moment), *conditions(wanted, then))
    query = query.where(seen_by(reader, GOALS)).order_by(then.goal).limit(limit)
    goals = await connection.scalars(query if after is None else query.where(then.goal > after))
    return await goals_then(connection, [GoalId(goal) for goal in goals], moment)


async def goals_then(connection: AsyncConnection, goals: Sequence[GoalId], moment: Moment) -> list[PastGoal]:
    """These goals at the moment, in their order; one that was not set by then is left out."""
    known = await facts_of(connection, goals)
    pasts = {
        goal: course_of([fact for fact in facts if moment.known is None or fact.known_at <= moment.known]).at(moment.at)
        for goal, facts in known.items()
    }
    rolled_up = await _rolled_up(connection, list(pasts), moment)
    found = [(past.row, past.kpi) for goal in goals if (past := pasts.get(goal)) is not None]
    return [PastGoal(replace(row, progress=rolled_up.get(row.goal, row.own_progress)), kpi) for row, kpi in found]


async def _rolled_up(
    connection: AsyncConnection, goals: Collection[GoalId], moment: Moment
) -> dict[GoalId, Decimal | None]:
    """The progress of those of these goals that were measured by the goals below them then."""
    nodes: list[Node] = []
    others: dict[GoalId, Measured] = {}
    for row in await connection.execute(below(moment), {"goals": list(goals)}):
        goal, parent, weight, counts, sum_of_weights, weighted = tuple[Any, ...](row)
        nodes.append(Node(goal, parent, weight, counts=counts, by_children=True, own=None, progress=None))
        if sum_of_weights is not None:
            others[goal] = Measured(sum_of_weights, weighted)
    return dict(recomputed(nodes, others))


def below(moment: Moment) -> Select[Any]:
    """Whatever below these goals is measured by others, each with what those add up to that are not."""
    inner = _inner(moment)
    leaf = PERIODS.alias("leaf")
    measured = (~leaf.c.by_children, leaf.c.own_progress.is_not(None), leaf.c.state != GoalState.CANCELLED)
    sums = (func.sum(leaf.c.weight).label("weight"), func.sum(leaf.c.weight * leaf.c.own_progress).label("weighted"))
    leaves = (
        select(leaf.c.parent, *sums)
        .join(inner, inner.c.goal == leaf.c.parent)
        .where(*_stood(moment, leaf.c), *measured)
        .group_by(leaf.c.parent)
        .cte("leaves")
    )
    return select(inner, leaves.c.weight.label("measured"), leaves.c.weighted).outerjoin(
        leaves, leaves.c.parent == inner.c.goal
    )


def _inner(moment: Moment) -> CTE:
    """UNION ends the walk where it meets itself."""
    top, child = PERIODS.alias("top").c, PERIODS.alias("child").c
    given = top.goal == any_(bindparam("goals", type_=ARRAY(Uuid)))
    inner = select(*_node(top)).where(given, *_stood(moment, top), top.by_children).cte("inner_goals", recursive=True)
    step = select(*_node(child)).where(child.parent == inner.c.goal, *_stood(moment, child), child.by_children)
    return inner.union(step)


def _node(columns: Any) -> tuple[ColumnElement[Any], ...]:
    counts = (columns.state != GoalState.CANCELLED).label("counts")
    return columns.goal, columns.parent, columns.weight, counts


def _stood(moment: Moment, columns: Any = PERIODS.c) -> list[ColumnElement[bool]]:
    """Whether a row tells of this moment."""
    return [
        *_within(columns.valid_from, columns.valid_to, moment.at),
        *_within(columns.known_from, columns.known_to, moment.known),
    ]


def _within(begins: ColumnElement[Any], ends: ColumnElement[Any], at: datetime | None) -> list[ColumnElement[bool]]:
    return [ends == literal(FOREVER)] if at is None else [begins <= literal(at), ends > literal(at)]
