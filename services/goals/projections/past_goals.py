"""Past goals: how goals stood at a moment, as it was known at another, roll-up included."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, Uuid, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.roll_up import Measured, Node, recomputed
from services.goals.projections.goal_past import course_of
from services.goals.projections.goal_periods import PERIODS, facts_of
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.goal_stretches import FOREVER
from shared.schemas.identifiers import GoalId, KpiId

WALKED: Final = 1_000
"""So many goals are walked one by one; beyond that it costs less to read all that stood then."""


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
    inner: Sequence[Row[Any]] = ()
    if len(goals) <= walked:
        walk = inner_below(moment).limit(walked + 1)
        inner = (await connection.execute(walk, {"goals": list(goals)})).all()
        if not inner:
            return {}
    if max(len(goals), len(inner)) > walked:
        inner = (await connection.execute(all_inner(moment))).all()
        measured = await connection.execute(measured_below(moment))
    else:
        below = PERIODS.c.parent == any_(bindparam("parents", type_=ARRAY(Uuid)))
        found = {"parents": [node[0] for node in inner]}
        measured = await connection.execute(measured_below(moment).where(below), found)
    others = {row[0]: Measured(*row[1:]) for row in measured}
    return recomputed([Node(*node, by_children=True, own=None, progress=None) for node in inner], others)


def inner_below(moment: Moment) -> Select[Any]:
    """Of the given goals and all below them those measured by others; UNION ends the walk where it meets itself."""
    top, child = PERIODS.alias("top").c, PERIODS.alias("child").c
    given = top.goal == any_(bindparam("goals", type_=ARRAY(Uuid)))
    inner = select(*_node(top)).where(given, *stood(moment, top), top.by_children).cte("inner_goals", recursive=True)
    step = select(*_node(child)).where(child.parent == inner.c.goal, *stood(moment, child), child.by_children)
    return select(inner.union(step))


def all_inner(moment: Moment) -> Select[Any]:
    """All goals that were measured by others then."""
    return select(*_node(PERIODS.c)).where(*stood(moment), PERIODS.c.by_children)


def measured_below(moment: Moment) -> Select[*tuple[Any, ...]]:
    """By parent: what the goals below it add up to that were measured by themselves."""
    goal = PERIODS.c
    counted = (~goal.by_children, goal.own_progress.is_not(None), goal.state != GoalState.CANCELLED)
    sums = func.sum(goal.weight), func.sum(goal.weight * goal.own_progress)
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
