"""Goals, read: one, many, and those below one."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.goals.api.goal_access import Access, access_to, reader
from services.goals.projections import bound_goals, goal_tree, readable_goals
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.readable_goals import Filter
from shared.privacy.vault import Vault
from shared.runtime.authorization import READ, needs
from shared.runtime.http import AtEdge, Edge
from shared.runtime.pagination import AskedPage, Page, PageRequest
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_metrics import MeasuredBy, Metric
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, KpiId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, Known

_HUNDREDTH: Final = Decimal("0.01")


class GoalView(BaseModel):
    """A goal as it stands; `progress` is in percent, null where nothing was measured yet."""

    id: GoalId
    version: int
    state: GoalState
    level: str
    owner: PersonId
    team: str | None
    title: str = Field(description="`erased` where the person it speaks of was erased.")
    metric: Metric | None
    measured_by: str = Field(description="The one source of its progress: metric, children or manual.")
    starts_on: date
    ends_on: date
    parent: GoalId | None
    weight: DecimalString = Field(description="What it counts in its parent's roll-up, relative to its siblings.")
    weight_by_hand: bool = Field(description="False: it counts as much as its siblings.")
    value: DecimalString | None = Field(description="The last value recorded, in the metric's unit.")
    progress: DecimalString | None = Field(description="From its one source: see `measured_by`.")
    own_progress: DecimalString | None = Field(description="From its own measurements alone.")
    raw_progress: DecimalString | None = Field(description="The same, not capped within 0 and 100.")
    regressed: bool = Field(description="Worse than where it started.")
    measured_at: datetime | None
    closed_on: date | None
    expired: bool = Field(description="Its last day has passed, and nobody has closed it yet.")


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
        mine: Annotated[bool, Query(description="Only the caller's own.")] = False,
    ) -> Page[GoalView]:
        whose = edge.caller.person if mine else owner
        wanted = Filter(owner=whose, level=level, state=state, expired=expired, roots=roots)
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
        view = (await _views(runtime.vault, [row]))[0]
        return GoalDetail(**view.model_dump(), kpi=kpi, allowed_actions=allowed)

    return routes


async def _seen(runtime: Runtime, edge: Edge, goal: GoalId) -> tuple[GoalRow, Access]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    async with runtime.engine.connect() as connection:
        row = await readable_goals.find(connection, goal)
        if row is None:
            raise not_found("goal", goal)
        access = await access_to(connection, edge.caller, row.level, row.owner)
    access.require(READ, f"goal {goal}")
    return row, access


async def _listed(runtime: Runtime, edge: Edge, page: PageRequest, wanted: Filter) -> Page[GoalView]:
    await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
    cursor = page.after(tuple[GoalId])
    async with runtime.engine.connect() as connection:
        rows = await readable_goals.readable(
            connection, reader(edge.caller), wanted, after=cursor[0] if cursor else None, limit=page.limit + 1
        )
    views = await _views(runtime.vault, rows)
    return page.of(views, key=lambda view: (view.id,), item=lambda view: view)


async def _views(vault: Vault, rows: Sequence[GoalRow]) -> list[GoalView]:
    """The rows as clients see them: personal titles opened, all at once, and percentages with two places."""
    sealed = {row.goal: row.title for row in rows if isinstance(row.title, PersonalText)}
    opened = dict(zip(sealed, await vault.open(list(sealed.values())), strict=True))
    return [_view(row, opened.get(row.goal) or str(row.title)) for row in rows]


def _view(row: GoalRow, title: str) -> GoalView:
    return GoalView(
        id=row.goal,
        version=row.version,
        state=row.state,
        level=row.level,
        owner=row.owner,
        team=row.team,
        title=title,
        metric=row.metric,
        measured_by=row.measured_by,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        parent=row.parent,
        weight=row.weight,
        weight_by_hand=row.weight_by_hand,
        value=row.value,
        progress=_two_places(row.progress),
        own_progress=_two_places(row.own_progress),
        raw_progress=_two_places(row.raw_progress),
        regressed=row.regressed,
        measured_at=row.measured_at,
        closed_on=row.closed_on,
        expired=row.expired,
    )


def _two_places(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
