"""Goals, read: one, many, and those below one."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_access import Access, access_to, reader
from services.goals.api.goal_views import GoalView, today, views
from services.goals.projections import bound_goals, goal_tree, readable_goals
from services.goals.projections.goal_health import is_doing
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.readable_goals import Filter
from shared.runtime.authorization import READ, needs
from shared.runtime.pagination import AskedPage, Page, PageRequest
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_health import Health
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, KpiId, PersonId
from shared.schemas.values import Known


class GoalDetail(GoalView):
    """A goal, and what the caller may do with it."""

    kpi: KpiId | None = Field(description="The KPI that moves it; then it takes no value by hand.")
    allowed_actions: list[str]


def goal_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.get("", summary="Goals, the oldest first")
    @needs("goal", READ)
    async def list_goals(
        *,
        edge: AtEdge,
        page: AskedPage,
        owner: PersonId | None = None,
        level: Known[GoalLevel] | None = None,
        state: GoalState | None = None,
        expired: Annotated[bool | None, Query(description="Only goals that have expired, or only others.")] = None,
        roots: Annotated[bool, Query(description="Only goals that are under no other.")] = False,
        health: Annotated[Known[Health] | None, Query(description="How they are doing today.")] = None,
        mine: Annotated[bool, Query(description="Only the caller's own.")] = False,
    ) -> Page[GoalView]:
        whose = edge.caller.person if mine else owner
        on = today(runtime, edge)
        doing = None if health is None else is_doing(health, on.day, on.gaps)
        wanted = Filter(owner=whose, level=level, state=state, expired=expired, roots=roots, health=doing)
        return await _listed(runtime, edge, page, wanted)

    @routes.get("/{goal}/children", summary="The goals below a goal")
    @needs("goal", READ)
    async def list_children(goal: GoalId, edge: AtEdge, page: AskedPage) -> Page[GoalView]:
        await _seen(runtime, edge, goal)
        return await _listed(runtime, edge, page, Filter(parent=goal))

    @routes.get("/{goal}", summary="One goal")
    @needs("goal", READ)
    async def show_goal(goal: GoalId, edge: AtEdge) -> GoalDetail:
        row, access = await _seen(runtime, edge, goal)
        edge.response.headers["ETag"] = f'"{row.version}"'
        async with runtime.engine.connect() as connection:
            kpi = await bound_goals.kpi_of(connection, goal)
        moved = row.measured_by == MeasuredBy.CHILDREN.value
        moved |= row.measured_by == MeasuredBy.METRIC.value and kpi is not None
        allowed = access.allowed(active=row.state is GoalState.ACTIVE, by_hand=not moved)
        view = (await views(runtime.vault, [row], today(runtime, edge)))[0]
        return GoalDetail(**view.model_dump(), kpi=kpi, allowed_actions=allowed)

    return routes


async def _seen(runtime: Runtime, edge: GoalsEdge, goal: GoalId) -> tuple[GoalRow, Access]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    async with runtime.engine.connect() as connection:
        row = await readable_goals.find(connection, goal)
        if row is None:
            raise not_found("goal", goal)
        access = await access_to(connection, edge.caller, row)
    access.require(READ, f"goal {goal}")
    return row, access


async def _listed(runtime: Runtime, edge: GoalsEdge, page: PageRequest, wanted: Filter) -> Page[GoalView]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    cursor = page.after(tuple[GoalId])
    async with runtime.engine.connect() as connection:
        rows = await readable_goals.readable(
            connection, reader(edge.caller), wanted, after=cursor[0] if cursor else None, limit=page.limit + 1
        )
    shown = await views(runtime.vault, rows, today(runtime, edge))
    return page.of(shown, key=lambda view: (view.id,), item=lambda view: view)
