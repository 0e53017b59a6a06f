"""Goals, read: one, many, and those below one; as they stand, or as they stood at a moment."""

from fastapi import APIRouter
from pydantic import Field

from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_access import Access, access_to, possible
from services.goals.api.goal_lists import AskedGoals, below, listed, page_of
from services.goals.api.goal_views import GoalView, today, views
from services.goals.api.moments import AskedMoment, moment_of, on_day_of
from services.goals.projections import bound_goals, goal_periods, goal_profiles, goal_tree, past_goals, readable_goals
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.past_goals import Moment
from shared.runtime.authorization import READ, needs
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.identifiers import GoalId, KpiId


class GoalDetail(GoalView):
    """A goal, and what the caller may do with it."""

    kpi: KpiId | None = Field(description="The KPI that moves it; then it takes no value by hand.")
    allowed_actions: list[str] = Field(description="Now; nothing may be done with the past.")


def goal_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.get("", summary="Goals, filtered and sorted, as they stand or as they stood")
    @needs("goal", READ)
    async def list_goals(edge: AtEdge, asked: AskedGoals) -> Page[GoalView]:
        return await listed(runtime, edge, asked)

    @routes.get("/{goal}/children", summary="The goals below a goal, as they are or as they were")
    @needs("goal", READ)
    async def list_children(goal: GoalId, edge: AtEdge, page: AskedPage, moment: AskedMoment) -> Page[GoalView]:
        await _seen(runtime, edge, goal)
        asked = below(goal, moment, page)
        return await page_of(runtime, edge, asked)

    @routes.get("/{goal}", summary="One goal, as it stands or as it stood")
    @needs("goal", READ)
    async def show_goal(goal: GoalId, edge: AtEdge, asked: AskedMoment) -> GoalDetail:
        row, access = await _seen(runtime, edge, goal)
        if (moment := moment_of(runtime, asked)) is not None:
            return await _past(runtime, edge, goal, moment)
        edge.response.headers["ETag"] = f'"{row.version}"'
        async with runtime.reading.connect() as connection:
            kpi = await bound_goals.kpi_of(connection, goal)
        allowed = _allowed(access, row, moved_by=kpi, objective=await _is_objective(runtime, edge, row))
        view = (await views(runtime, edge.caller, [row], today(runtime, edge)))[0]
        return GoalDetail(**view.model_dump(), kpi=kpi, allowed_actions=allowed)

    return routes


async def _is_objective(runtime: Runtime, edge: GoalsEdge, row: GoalRow) -> bool:
    """Only what is measured by the goals below it may be one: of any other goal no second read model is waited for."""
    if row.measured_by != MeasuredBy.CHILDREN.value:
        return False
    await runtime.wait(goal_profiles.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        profile = await goal_profiles.find(connection, row.goal)
    return profile is not None and profile.objective is not None


def _allowed(access: Access, row: GoalRow, *, moved_by: KpiId | None, objective: bool) -> list[str]:
    if row.state is not GoalState.ACTIVE:
        return access.allowed()
    moved = row.measured_by == MeasuredBy.CHILDREN.value
    moved |= row.measured_by == MeasuredBy.METRIC.value and moved_by is not None
    return access.allowed(possible(objective=objective, by_hand=not moved))


async def _past(runtime: Runtime, edge: GoalsEdge, goal: GoalId, moment: Moment) -> GoalDetail:
    await runtime.wait(goal_periods.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        found = await past_goals.goals_then(connection, [goal], moment)
    if not found:
        raise not_found("goal", f"{goal} at that moment")
    on = await on_day_of(runtime, edge, moment)
    view = (await views(runtime, edge.caller, [found[0].row], on))[0]
    return GoalDetail(**view.model_dump(), kpi=found[0].kpi, allowed_actions=[])


async def _seen(runtime: Runtime, edge: GoalsEdge, goal: GoalId) -> tuple[GoalRow, Access]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        row = await readable_goals.find(connection, goal)
        if row is None:
            raise not_found("goal", goal)
        access = await access_to(connection, edge.caller, row)
    access.require(READ, f"goal {goal}")
    return row, access
