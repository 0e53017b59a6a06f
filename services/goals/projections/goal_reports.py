"""Goal reports: how far each team's goals are, how they are doing, and how many serve the organization's."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.health import HealthGaps
from services.goals.projections.goal_health import is_doing
from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalState
from shared.people.table import PEOPLE
from shared.schemas.goal_health import Health
from shared.schemas.goals import GoalLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Goals of one level whose dates touch these days, both included."""

    level: GoalLevel
    begins: date
    ends: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """The goals of one team that count; `team` None: of people in none. `progress` is the mean of those measured."""

    team: str | None
    goals: int
    aligned: int
    measured: int
    progress: Decimal | None
    at_risk: int
    off_track: int


def is_aligned() -> ColumnElement[bool]:
    """Whether the chain of a goal's parents ends at a goal of the organization."""
    return GOALS.c.goal.in_(select(_below_the_organization().c.goal))


def _below_the_organization() -> CTE:
    """UNION ends the walk where it meets itself; a cancelled goal carries nothing further."""
    top, child = GOALS.alias("top").c, GOALS.alias("child").c
    roots = select(top.goal).where(top.level == GoalLevel.ORGANIZATION.value, top.state != GoalState.CANCELLED)
    chain = roots.cte("aligned_goals", recursive=True)
    return chain.union(select(child.goal).where(child.parent == chain.c.goal, child.state != GoalState.CANCELLED))


async def by_team(
    connection: AsyncConnection, reader: Reader, span: Span, *, today: date, gaps: HealthGaps
) -> list[TeamRow]:
    """Of the goals that the reader may see, cancelled ones left out; a person's goal is of its owner's team."""
    goal, team = GOALS.c, func.coalesce(GOALS.c.team, PEOPLE.c.team).label("team")
    progress = func.round(func.avg(goal.progress), 2)

    def so_many(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.count().filter(condition)

    doing = (so_many(is_doing(health, today, gaps)) for health in (Health.AT_RISK, Health.OFF_TRACK))
    figures = (func.count(), so_many(is_aligned()), func.count(goal.progress), progress, *doing)
    query = (
        select(team, *figures)
        .select_from(GOALS.outerjoin(PEOPLE, PEOPLE.c.person == goal.owner))
        .where(goal.level == span.level.value, goal.state != GoalState.CANCELLED, seen_by(reader, GOALS))
        .where(goal.starts_on <= span.ends, goal.ends_on >= span.begins)
        .group_by(team)
        .order_by(team.nulls_last())
    )
    names = ("team", "goals", "aligned", "measured", "progress", "at_risk", "off_track")
    return [TeamRow(**dict(zip(names, row, strict=True))) for row in await connection.execute(query)]
