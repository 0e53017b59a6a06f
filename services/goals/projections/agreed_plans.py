"""Agreed plans: the index of the write side that says which plans of a person count, written with the agreement itself.

What a plan weighs is in its stream; that it was agreed never changes, nor does whose it is and for which days.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Column, Date, Index, MetaData, Table, Text, Uuid, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.plan_sides import PlanScope
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.identifiers import GoalPlanId, PersonId

PLANS: Final = Table(
    "agreed_plans",
    MetaData(),
    Column("plan", Uuid, primary_key=True),
    Column("owner", Uuid, nullable=False),
    Column("level", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Index("agreed_plans_by_owner", "owner", "starts_on", "plan"),
)
_REBUILD: Final = text(
    """insert into agreed_plans (plan, owner, level, starts_on, ends_on)
       select substr(stream, 10)::uuid, (data::jsonb ->> 'owner')::uuid,
              coalesce(data::jsonb ->> 'level', 'person'),
              (data::jsonb ->> 'starts_on')::date, (data::jsonb ->> 'ends_on')::date
         from events where type = 'trellis.goals.GoalPlanAgreed.v1'
       on conflict do nothing"""
)


async def write(connection: AsyncConnection, plan: GoalPlanId, scope: PlanScope) -> None:
    """In the transaction that appends the agreement."""
    row = {"plan": plan, **dict(scope), "level": scope.level.value}
    await connection.execute(insert(PLANS).values(row).on_conflict_do_nothing())


async def of_persons(connection: AsyncConnection, owners: Collection[PersonId]) -> dict[GoalPlanId, PlanScope]:
    """The agreed plans of these people for themselves, each person's earliest first."""
    query = (
        select(PLANS)
        .where(PLANS.c.owner.in_(owners), PLANS.c.level == GoalLevel.PERSON.value)
        .order_by(PLANS.c.owner, PLANS.c.starts_on, PLANS.c.plan)
    )
    rows = (await connection.execute(query)).mappings()
    return {GoalPlanId(row["plan"]): _scope(dict(row)) for row in rows}


def _scope(row: dict[str, object]) -> PlanScope:
    return PlanScope.model_validate({name: value for name, value in row.items() if name != "plan"})


async def rebuild(connection: AsyncConnection) -> None:
    """Write the index again from the events."""
    await connection.execute(PLANS.delete())
    await connection.execute(_REBUILD)
