"""Past lists: which goals stood so at a moment, filtered and sorted by what they were then, to who sees them today."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.health import HealthGaps, Standing, health_of
from services.goals.projections.goal_periods import PERIODS
from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalState
from services.goals.projections.past_goals import Moment, PastGoal, goals_then, rolled_up, stood
from services.goals.projections.readable_goals import UNMEASURED, Filter, Order, conditions, in_order
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


@dataclass(frozen=True, slots=True)
class _Stood:
    """What of a goal its health and its place in a list are worked out from; `progress` with what rolled up to it."""

    goal: GoalId
    state: str
    starts_on: date | None
    ends_on: date | None
    by_children: bool
    said_health: str | None
    said_progress: Decimal | None
    progress: Decimal | None


_STOOD: Final = (*(PERIODS.c[name] for name in list(_Stood.__dataclass_fields__)[:-1]), PERIODS.c.own_progress)


async def readable_then(
    connection: AsyncConnection, reader: Reader, wanted: Filter, moment: Moment, *, page: PastPage
) -> list[PastGoal]:
    """The goals that stood so then, of those that the reader may see today.

    By health and by progress they are found only when what rolled up to each of them is known.
    """
    there = [*stood(moment), *conditions(wanted, PERIODS.c), seen_by(reader, GOALS)]
    if page.doing is None and page.order is not Order.PROGRESS:
        query = select(PERIODS.c.goal).join(GOALS, GOALS.c.goal == PERIODS.c.goal).where(*there)
        ordered = in_order(query, PERIODS.c, page.order, page.after).limit(page.limit)
        goals = [GoalId(goal) for goal in await connection.scalars(ordered)]
    else:
        query = select(*_STOOD).join(GOALS, GOALS.c.goal == PERIODS.c.goal).where(*there)
        goals = _page(await _with_progress(connection, query, moment), page)
    return await goals_then(connection, goals, moment)


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


async def _with_progress(connection: AsyncConnection, query: Select[Any], moment: Moment) -> list[_Stood]:
    found = [_Stood(*row) for row in await connection.execute(query)]
    rolled = await rolled_up(connection, [one.goal for one in found if one.by_children], moment)
    return [replace(one, progress=rolled.get(one.goal)) if one.by_children else one for one in found]


def _page(found: Iterable[_Stood], page: PastPage) -> list[GoalId]:
    doing = page.doing
    keys = [_key(one, page.order) for one in found if doing is None or _health(one, doing) is doing.health]
    latest_first = page.order is Order.NEWEST
    after = page.after
    left = [key for key in keys if after is None or (key < after if latest_first else key > after)]
    return [key[-1] for key in sorted(left, reverse=latest_first)[: page.limit]]


def _key(one: _Stood, order: Order) -> tuple[Any, ...]:
    match order:
        case Order.ENDS_ON:
            return one.ends_on or date.max, one.goal
        case Order.PROGRESS:
            return UNMEASURED if one.progress is None else one.progress, one.goal
        case _:
            return (one.goal,)


def _health(one: _Stood, doing: Doing) -> Health | None:
    """What a person had said holds unless what rolls up to the goal has moved since."""
    if one.starts_on is None or one.ends_on is None:
        return None
    holds = one.said_health is not None and (not one.by_children or one.said_progress == one.progress)
    standing = Standing(
        is_open=one.state == GoalState.ACTIVE,
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        progress=one.progress,
        said=Health(one.said_health) if holds and one.said_health else None,
    )
    return health_of(standing, doing.day, doing.gaps)
