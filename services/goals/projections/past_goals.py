"""Past goals: how goals stood at a moment, as it was known at another, roll-up included."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Uuid, any_, bindparam, case, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import PLACES, Measured, Node, recomputed
from services.goals.projections.goal_past import course_of
from services.goals.projections.goal_periods import PERIODS, facts_of
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.goal_stretches import FOREVER
from shared.schemas.identifiers import GoalId, KpiId

WALKED: Final = 1_000
"""So many goals are walked one by one; beyond that it costs less to read all that stood then."""
_BY_CHILDREN: Final[Any] = {"by_children": True, "own": None, "progress": None}


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


async def goals_then(
    connection: AsyncConnection,
    goals: Sequence[GoalId],
    moment: Moment,
    *,
    walked: int = WALKED,
    rolled: Mapping[GoalId, Decimal | None] | None = None,
) -> list[PastGoal]:
    """These goals at the moment, in their order; one that was not set by then is left out.

    `rolled`: what rolled up to those of them that were measured by others, where that is known.
    """
    known = await facts_of(connection, goals)
    pasts = {
        goal: course_of([fact for fact in facts if moment.known is None or fact.known_at <= moment.known]).at(moment.at)
        for goal, facts in known.items()
    }
    progress = await rolled_up(connection, list(pasts), moment, walked) if rolled is None else rolled
    found = [(past.row, past.kpi) for goal in goals if (past := pasts.get(goal)) is not None]
    return [PastGoal(replace(row, progress=progress.get(row.goal, row.own_progress)), kpi) for row, kpi in found]


async def rolled_up(
    connection: AsyncConnection, goals: Collection[GoalId], moment: Moment, walked: int = WALKED
) -> dict[GoalId, Decimal | None]:
    """The progress of those of these goals that were measured by the goals below them then.

    A small tree is walked goal by goal; of a large one everything that stood then is read at once, which costs less
    than so many steps.
    """
    if len(goals) > walked:
        return await _all_rolled_up(connection, moment)
    inner = (await connection.execute(inner_below(moment).limit(walked + 1), {"goals": list(goals)})).all()
    if len(inner) > walked:
        return await _all_rolled_up(connection, moment)
    if not inner:
        return {}
    below = PERIODS.c.parent == any_(bindparam("parents", type_=ARRAY(Uuid)))
    found = {"parents": [node[0] for node in inner]}
    measured = await connection.execute(measured_below(moment).where(below), found)
    others = {row[0]: Measured(*row[1:]) for row in measured}
    return recomputed([Node(*node, **_BY_CHILDREN) for node in inner], others)


async def _all_rolled_up(connection: AsyncConnection, moment: Moment) -> dict[GoalId, Decimal | None]:
    """The database computes the lowest of the inner goals, which are most of them, and what they add up to."""
    known: dict[GoalId, Decimal | None] = {}
    nodes: list[Node] = []
    others: dict[GoalId, Measured] = {}
    for goal, lowest, progress, weight, weighted, *place in await connection.execute(all_inner(moment)):
        if lowest:
            known[goal] = progress
        else:
            nodes.append(Node(goal, *place, **_BY_CHILDREN))
            others[goal] = Measured(weight, weighted)
    return known | recomputed(nodes, others)


def inner_below(moment: Moment) -> Select[Any]:
    """Of the given goals and all below them those measured by others; UNION ends the walk where it meets itself."""
    top, child = PERIODS.alias("top").c, PERIODS.alias("child").c
    given = top.goal == any_(bindparam("goals", type_=ARRAY(Uuid)))
    inner = select(*_node(top)).where(given, *stood(moment, top), top.by_children).cte("inner_goals", recursive=True)
    step = select(*_node(child)).where(child.parent == inner.c.goal, *stood(moment, child), child.by_children)
    return select(inner.union(step))


def all_inner(moment: Moment) -> Select[*tuple[Any, ...]]:
    """All goals that were measured by others then: the lowest of them, below which no other is, with their progress.

    The rest come with what the goals below each add up to that were measured by themselves, or are among the lowest.
    """
    inner = select(*_node(PERIODS.c)).where(*stood(moment), PERIODS.c.by_children).cte("inner_goals")
    own, child = measured_below(moment).cte("own"), inner.alias("child").c
    weight, weighted = own.c.weight, own.c.weighted
    alone = ~exists().where(child.parent == inner.c.goal)
    lowest = select(inner, _mean(weight, weighted).label("progress")).outerjoin(own, own.c.parent == inner.c.goal)
    low = lowest.where(alone).cte("lowest").c
    sums = func.sum(low.weight).label("weight"), func.sum(low.weight * low.progress).label("weighted")
    counts = low.counts, low.progress.is_not(None)
    counted = select(low.parent, *sums).where(*counts).group_by(low.parent).cte("counted").c
    joined = inner.outerjoin(low.goal.table, low.goal == inner.c.goal)
    joined = joined.outerjoin(own, own.c.parent == inner.c.goal)
    joined = joined.outerjoin(counted.parent.table, counted.parent == inner.c.goal)
    both = _sum(weight, counted.weight), _sum(weighted, counted.weighted)
    goal, *place = inner.c
    return select(goal, low.goal.is_not(None), low.progress, *both, *place).select_from(joined)


def _sum(one: ColumnElement[Decimal], other: ColumnElement[Decimal]) -> ColumnElement[Decimal]:
    return func.coalesce(one, 0) + func.coalesce(other, 0)


def _mean(weight: ColumnElement[Decimal], weighted: ColumnElement[Decimal]) -> ColumnElement[Decimal]:
    """`Measured.mean` in SQL, by whole numbers: a quotient of PostgreSQL is rounded to places of its own first."""
    halves = func.div(weighted * literal(Decimal(2).scaleb(PLACES)) + weight, weight * 2)
    return case((weight > 0, halves * literal(Decimal(1).scaleb(-PLACES))))


def measured_below(moment: Moment) -> Select[*tuple[Any, ...]]:
    """By parent: what the goals below it add up to that were measured by themselves."""
    goal = PERIODS.c
    counted = (~goal.by_children, goal.own_progress.is_not(None), goal.state != GoalState.CANCELLED)
    sums = func.sum(goal.weight).label("weight"), func.sum(goal.weight * goal.own_progress).label("weighted")
    there = select(goal.parent, *sums).where(*stood(moment), *counted, goal.parent.is_not(None))
    return there.group_by(goal.parent)


def _node(columns: Any) -> tuple[ColumnElement[Any], ...]:
    counts = (columns.state != GoalState.CANCELLED).label("counts")
    return columns.goal, columns.parent, columns.weight, counts


def stood(moment: Moment, columns: Any = PERIODS.c) -> list[ColumnElement[bool]]:
    """Whether a row tells of this moment."""
    return [
        *_within(columns.valid_from, columns.valid_to, moment.at),
        *_within(columns.known_from, columns.known_to, moment.known),
    ]


def _within(begins: ColumnElement[Any], ends: ColumnElement[Any], at: datetime | None) -> list[ColumnElement[bool]]:
    return [ends == literal(FOREVER)] if at is None else [begins <= literal(at), ends > literal(at)]
