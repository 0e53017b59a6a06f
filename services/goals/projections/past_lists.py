"""Past lists: which goals stood so at a moment, filtered and sorted by what they were then, to who sees them today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Numeric, Select, Uuid, and_, case, column, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.health import HealthGaps
from services.goals.projections.goal_health import health_by
from services.goals.projections.goal_periods import PERIODS
from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalState
from services.goals.projections.past_goals import WALKED, Moment, PastGoal, goals_then, rolled_up, stood
from services.goals.projections.readable_goals import Filter, Order, conditions, in_order
from shared.schemas.goal_health import Health
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Goals that were doing so on that day, by these thresholds."""

    health: Health
    day: date
    gaps: HealthGaps


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPage:
    """A page of goals in this order, those after a sort key; `doing` None: however they were doing."""

    order: Order
    after: tuple[Any, ...] | None
    limit: int
    doing: Doing | None = None


class _Columns(NamedTuple):
    """What a list is sorted by; `progress` with what rolled up to the goal."""

    goal: ColumnElement[Any]
    ends_on: ColumnElement[Any]
    progress: ColumnElement[Any]


async def readable_then(
    connection: AsyncConnection, reader: Reader, wanted: Filter, moment: Moment, *, page: PastPage
) -> list[PastGoal]:
    """The goals that stood so then, of those that the reader may see today.

    By health and by progress they are found only when what rolled up to each of them is known.
    """
    there = [*stood(moment), *conditions(wanted, PERIODS.c), seen_by(reader, GOALS)]
    query = select(PERIODS.c.goal).join(GOALS, GOALS.c.goal == PERIODS.c.goal).where(*there)
    if page.doing is None and page.order is not Order.PROGRESS:
        ordered = in_order(query, PERIODS.c, page.order, page.after).limit(page.limit)
        return await goals_then(connection, await _goals(connection, ordered), moment)
    inner = await _goals(connection, query.where(PERIODS.c.by_children).limit(WALKED + 1))
    progress = await rolled_up(connection, inner, moment)
    goals = await _goals(connection, _by_progress(query, progress, page).limit(page.limit))
    return await goals_then(connection, goals, moment, rolled=progress)


async def _goals(connection: AsyncConnection, query: Select[Any]) -> list[GoalId]:
    return [GoalId(goal) for goal in await connection.scalars(query)]


def _by_progress(query: Select[Any], known: Mapping[GoalId, Decimal | None], page: PastPage) -> Select[Any]:
    """The page of a query over `PERIODS`, given what rolled up to the goals that are measured by others."""
    given = func.unnest(literal(list(known), ARRAY(Uuid)), literal(list(known.values()), ARRAY(Numeric)))
    rolled = given.table_valued(column("goal", Uuid), column("progress", Numeric)).render_derived(name="rolled").c
    goal = PERIODS.c
    progress = case((goal.by_children, rolled.progress), else_=goal.own_progress)
    query = query.outerjoin(rolled.goal.table, rolled.goal == goal.goal)
    if (doing := page.doing) is not None:
        stays = or_(~goal.by_children, goal.said_progress.is_not_distinct_from(progress))
        said = case((stays, goal.said_health))
        health = health_by(goal, progress=progress, said=said, on=doing.day, gaps=doing.gaps)
        query = query.where(goal.starts_on.is_not(None), health == doing.health.value)
    return in_order(query, _Columns(goal.goal, goal.ends_on, progress), page.order, page.after)


def was_aligned(moment: Moment) -> ColumnElement[bool]:
    """Whether the chain of a goal's parents ended at a goal of the organization then.

    UNION ends the walk where it meets itself; a cancelled goal carries nothing further.
    """
    top, child = PERIODS.alias("top").c, PERIODS.alias("child").c
    roots = select(top.goal).where(*stood(moment, top), _counts(top), top.level == GoalLevel.ORGANIZATION.value)
    chain = roots.cte("aligned_then", recursive=True)
    step = select(child.goal).where(*stood(moment, child), _counts(child), child.parent == chain.c.goal)
    return PERIODS.c.goal.in_(select(chain.union(step).c.goal))


def was_stale(since: date) -> ColumnElement[bool]:
    """Open, measured by itself, begun, and without a measurement since that day."""
    goal, day = PERIODS.c, literal(since)
    measured = and_(goal.measured_at.is_not(None), goal.measured_at >= day)
    return and_(goal.state == GoalState.ACTIVE, ~goal.by_children, goal.starts_on < day, ~measured)


def _counts(columns: Any) -> ColumnElement[bool]:
    return columns.state != GoalState.CANCELLED
