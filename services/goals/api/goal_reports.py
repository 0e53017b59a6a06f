"""Reports on goals that the caller may see: alignment coverage, progress and health, by team and period."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import reader
from services.goals.api.goal_views import today
from services.goals.projections import goal_reports, goal_tree
from services.goals.projections.goal_reports import Span, TeamRow
from shared.runtime.authorization import READ, needs
from shared.runtime.service import Runtime
from shared.schemas.goals import GoalLevel
from shared.schemas.values import DecimalString, Known


class TeamView(BaseModel):
    """How the goals of one team are; cancelled ones count nowhere."""

    team: str | None = Field(description="Null: of people who are in none.")
    goals: int
    aligned: int = Field(description="Those whose chain of parents ends at a goal of the organization.")
    coverage: DecimalString = Field(description="The same in percent.")
    measured: int
    progress: DecimalString | None = Field(description="The mean of those measured, in percent.")
    at_risk: int
    off_track: int


class TeamsView(BaseModel):
    """Team by team, and all of them together: of the goals that the caller may see."""

    level: GoalLevel
    begins: date
    ends: date
    goals: int
    aligned: int
    coverage: DecimalString | None = Field(description="Null where there is no goal.")
    teams: list[TeamView]


def goal_report_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/reports", tags=["goals"])

    @routes.get("/teams", summary="Alignment coverage, progress and health of goals, by team")
    @needs("goal", READ)
    async def report_teams(
        *,
        edge: AtEdge,
        level: Known[GoalLevel] = GoalLevel.PERSON,
        begins: Annotated[date | None, Query(description="Goals that run on this day or later; else today.")] = None,
        ends: Annotated[date | None, Query(description="Goals that run on this day or earlier; else `begins`.")] = None,
    ) -> TeamsView:
        """The goals that are not aligned are listed by `GET /goals?aligned=false`."""
        await runtime.wait(goal_tree.PROJECTION.name, edge.consistency)
        on = today(runtime, edge)
        first = begins or min(ends or on.day, on.day)
        span = Span(level=level, begins=first, ends=ends or first)
        async with runtime.reading.connect() as connection:
            rows = await goal_reports.by_team(connection, reader(edge.caller), span, today=on.day, gaps=on.gaps)
        return _view(span, rows)

    return routes


def _view(span: Span, rows: Sequence[TeamRow]) -> TeamsView:
    goals, aligned = sum(row.goals for row in rows), sum(row.aligned for row in rows)
    return TeamsView(
        level=span.level,
        begins=span.begins,
        ends=span.ends,
        goals=goals,
        aligned=aligned,
        coverage=_share(aligned, goals) if goals else None,
        teams=[_team(row) for row in rows],
    )


def _team(row: TeamRow) -> TeamView:
    return TeamView(
        team=row.team,
        goals=row.goals,
        aligned=row.aligned,
        coverage=_share(row.aligned, row.goals),
        measured=row.measured,
        progress=row.progress,
        at_risk=row.at_risk,
        off_track=row.off_track,
    )


def _share(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
