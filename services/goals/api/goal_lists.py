"""Lists of goals: which ones, in which order, page by page, as they stand or as they stood at a moment."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import reader
from services.goals.api.goal_views import GoalView, Today, today, views
from services.goals.api.hidden_goals import hidden_among
from services.goals.api.moments import AskedMoment, MomentAsked, moment_of, on_day_of
from services.goals.projections import goal_periods, goal_tree, readable_goals
from services.goals.projections.goal_health import is_doing, is_stale
from services.goals.projections.goal_reports import is_aligned
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.past_goals import Moment
from services.goals.projections.past_lists import Doing, PastPage, readable_then, was_aligned, was_stale
from services.goals.projections.readable_goals import Filter, Order, sort_key
from shared.people.reporting_line import people_below, people_directly_below
from shared.runtime.pagination import AskedPage, Page, PageRequest
from shared.runtime.service import Runtime
from shared.schemas.goal_health import Health
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.values import Known, ShortText

_KEYS: Final[dict[Order, Any]] = {
    Order.OLDEST: tuple[GoalId],
    Order.NEWEST: tuple[GoalId],
    Order.ENDS_ON: tuple[date, GoalId],
    Order.PROGRESS: tuple[Decimal, GoalId],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalsAsked:
    """What of goals the client asks for."""

    wanted: Filter
    health: Health | None
    mine: bool
    reports: Literal["direct", "all"] | None
    aligned: bool | None
    stale_days: int | None
    sort: Order
    moment: MomentAsked
    page: PageRequest


def _goals_asked(
    *,
    page: AskedPage,
    moment: AskedMoment,
    parent: Annotated[GoalId | None, Query(description="Only goals that are directly below this one.")] = None,
    owner: PersonId | None = None,
    level: Known[GoalLevel] | None = None,
    team: Annotated[ShortText | None, Query(description="Goals of this team.")] = None,
    state: GoalState | None = None,
    expired: Annotated[bool | None, Query(description="Only goals that have expired, or only others.")] = None,
    roots: Annotated[bool, Query(description="Only goals that are under no other.")] = False,
    health: Annotated[Known[Health] | None, Query(description="How they are doing today, or were doing then.")] = None,
    mine: Annotated[bool, Query(description="Only the caller's own.")] = False,
    reports: Annotated[
        Literal["direct", "all"] | None, Query(description="Only goals of those who report to the caller.")
    ] = None,
    aligned: Annotated[
        bool | None, Query(description="Whether the chain of parents ends at a goal of the organization.")
    ] = None,
    stale_days: Annotated[
        int | None, Query(ge=1, le=3660, description="Only open goals that nobody measured for so many days.")
    ] = None,
    sort: Annotated[Order, Query(description="`progress`: the least first.")] = Order.OLDEST,
) -> GoalsAsked:
    wanted = Filter(parent=parent, owner=owner, level=level, team=team, state=state, expired=expired, roots=roots)
    return GoalsAsked(
        wanted=wanted,
        health=health,
        mine=mine,
        reports=reports,
        aligned=aligned,
        stale_days=stale_days,
        sort=sort,
        moment=moment,
        page=page,
    )


AskedGoals = Annotated[GoalsAsked, Depends(_goals_asked)]
"""A route's parameters: the goals that the client asks for."""


def below(goal: GoalId, moment: MomentAsked, page: PageRequest) -> GoalsAsked:
    """All goals directly below one."""
    return _goals_asked(page=page, moment=moment, parent=goal)


async def listed(runtime: Runtime, edge: GoalsEdge, asked: GoalsAsked) -> Page[GoalView]:
    """The page of those that the caller may see today; below a goal that they may not see there are none to them."""
    caller, wanted = edge.caller.person, asked.wanted
    if wanted.parent is not None and await hidden_among(runtime, edge.caller, {wanted.parent}):
        return Page(items=[])
    if asked.mine:
        wanted = replace(wanted, owner=caller)
    if asked.reports is not None:
        below = people_directly_below(caller) if asked.reports == "direct" else people_below(caller)
        wanted = replace(wanted, owners=below)
    return await page_of(runtime, edge, replace(asked, wanted=wanted))


async def page_of(runtime: Runtime, edge: GoalsEdge, asked: GoalsAsked) -> Page[GoalView]:
    """The page, whoever owns the goals; as of a moment by the day and the policy of that moment."""
    moment = moment_of(runtime, asked.moment)
    if moment is None:
        on = today(runtime, edge)
        rows = await _present(runtime, edge, asked, on)
    else:
        on = await on_day_of(runtime, edge, moment)
        rows = await _past(runtime, edge, asked, moment=moment, on=on)
    shown = await views(runtime, edge.caller, rows, on)
    pairs = list(zip(rows, shown, strict=True))
    return asked.page.of(pairs, key=lambda pair: sort_key(pair[0], asked.sort), item=lambda pair: pair[1])


async def _present(runtime: Runtime, edge: GoalsEdge, asked: GoalsAsked, on: Today) -> list[GoalRow]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    further: list[ColumnElement[bool]] = []
    if asked.aligned is not None:
        further.append(is_aligned() == asked.aligned)
    if (since := _stale_since(asked, on)) is not None:
        further.append(is_stale(since))
    if asked.health is not None:
        further.append(is_doing(asked.health, on.day, on.gaps))
    wanted = replace(asked.wanted, further=tuple(further))
    after, limit = asked.page.after(_KEYS[asked.sort]), asked.page.limit + 1
    async with runtime.reading.connect() as connection:
        return await readable_goals.readable(
            connection, reader(edge.caller), wanted, after=after, limit=limit, order=asked.sort
        )


async def _past(runtime: Runtime, edge: GoalsEdge, asked: GoalsAsked, *, moment: Moment, on: Today) -> list[GoalRow]:
    for projection in (goal_tree.PROJECTION, goal_periods.PROJECTION):
        await runtime.wait(projection.name, edge.consistency)
    further: list[ColumnElement[bool]] = []
    if asked.aligned is not None:
        further.append(was_aligned(moment) == asked.aligned)
    if (since := _stale_since(asked, on)) is not None:
        further.append(was_stale(since))
    wanted = replace(asked.wanted, further=tuple(further))
    doing = None if asked.health is None else Doing(health=asked.health, day=on.day, gaps=on.gaps)
    after = asked.page.after(_KEYS[asked.sort])
    page = PastPage(order=asked.sort, after=after, limit=asked.page.limit + 1, doing=doing)
    async with runtime.reading.connect() as connection:
        found = await readable_then(connection, reader(edge.caller), wanted, moment, page=page)
    return [goal.row for goal in found]


def _stale_since(asked: GoalsAsked, on: Today) -> date | None:
    return None if asked.stale_days is None else on.day - timedelta(days=asked.stale_days)
