"""Bound goals: which goals a KPI moves, written with the events that bind and unbind them."""

from typing import Final
from uuid import UUID

from sqlalchemy import Column, Index, MetaData, Table, Uuid, delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.schemas.identifiers import GoalId, KpiId
from shared.schemas.kpis import GoalBoundToKpi, GoalUnboundFromKpi

BOUND: Final = Table(
    "goals_bound_to_kpis",
    MetaData(),
    Column("goal", Uuid, primary_key=True),
    Column("kpi", Uuid, nullable=False),
    Index("goals_bound_to_kpis_by_kpi", "kpi", "goal"),
)
_REBUILD: Final = text(
    """insert into goals_bound_to_kpis (goal, kpi)
         select goal, kpi from (
           select distinct on (stream) substr(stream, length('goal-') + 1)::uuid as goal,
                  (data::jsonb ->> 'kpi')::uuid as kpi, type
             from events where type in (:bound, :unbound) order by stream, version desc) latest
          where type = :bound"""
)


async def bind(connection: AsyncConnection, goal: GoalId, kpi: KpiId) -> None:
    """The KPI moves the goal, in the transaction that appends the event which says so."""
    statement = insert(BOUND).values(goal=goal, kpi=kpi)
    await connection.execute(statement.on_conflict_do_update(index_elements=[BOUND.c.goal], set_={"kpi": kpi}))


async def unbind(connection: AsyncConnection, goal: GoalId) -> None:
    """No KPI moves the goal any more, likewise."""
    await connection.execute(delete(BOUND).where(BOUND.c.goal == goal))


async def moved_by(connection: AsyncConnection, kpi_or_goal: UUID) -> list[GoalId]:
    """The goals that the KPI moves, closed ones too, in one order; or the goal itself, if any moves it."""
    wanted = or_(BOUND.c.kpi == kpi_or_goal, BOUND.c.goal == kpi_or_goal)
    rows = await connection.execute(select(BOUND.c.goal).where(wanted).order_by(BOUND.c.goal))
    return [GoalId(goal) for goal in rows.scalars()]


async def kpi_of(connection: AsyncConnection, goal: GoalId) -> KpiId | None:
    """The KPI that moves the goal, if any does."""
    return await connection.scalar(select(BOUND.c.kpi).where(BOUND.c.goal == goal))


async def rebuild(connection: AsyncConnection) -> None:
    """Write the index again from the events."""
    await connection.execute(BOUND.delete())
    types = {"bound": GoalBoundToKpi.event_type, "unbound": GoalUnboundFromKpi.event_type}
    await connection.execute(_REBUILD, types)
