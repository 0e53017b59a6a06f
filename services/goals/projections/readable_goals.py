"""Readable goals: which goals of the tree somebody may see, one or a page of them."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalRow, GoalState, rows
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which goals: None is any. `health` is a condition: it depends on the day and on the policy."""

    owner: PersonId | None = None
    level: GoalLevel | None = None
    state: GoalState | None = None
    parent: GoalId | None = None
    expired: bool | None = None
    roots: bool = False
    health: ColumnElement[bool] | None = None


async def find(connection: AsyncConnection, goal: GoalId) -> GoalRow | None:
    found = await rows(connection, select(GOALS).where(GOALS.c.goal == goal))
    return found[0] if found else None


async def shown_progress(engine: AsyncEngine, goal: GoalId) -> Decimal | None:
    """The progress that whoever judges the goal is shown at this moment."""
    async with engine.connect() as connection:
        return await connection.scalar(select(GOALS.c.progress).where(GOALS.c.goal == goal))


async def readable(
    connection: AsyncConnection, reader: Reader, wanted: Filter, *, after: GoalId | None, limit: int
) -> list[GoalRow]:
    """The goals that the reader may see, the oldest first."""
    query = select(GOALS).where(seen_by(reader, GOALS), *_conditions(wanted)).order_by(GOALS.c.goal).limit(limit)
    return await rows(connection, query if after is None else query.where(GOALS.c.goal > after))


async def readable_of(connection: AsyncConnection, reader: Reader, goals: Collection[GoalId]) -> set[GoalId]:
    """Those of these goals that the reader may see."""
    query = select(GOALS.c.goal).where(GOALS.c.goal.in_(goals), seen_by(reader, GOALS))
    return {GoalId(goal) for goal in await connection.scalars(query)}


async def hidden_below(connection: AsyncConnection, reader: Reader, goal: GoalId) -> int:
    """How many goals below this one the reader does not see; cancelled ones count nowhere."""
    below = and_(GOALS.c.parent == goal, GOALS.c.state != GoalState.CANCELLED)
    query = select(func.count()).select_from(GOALS).where(below, seen_by(reader, GOALS).is_not(true()))
    return await connection.scalar(query) or 0


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    named = ("owner", "level", "state", "parent", "expired")
    values = ((name, getattr(wanted, name)) for name in named)
    conditions: list[ColumnElement[bool]] = [GOALS.c[name] == value for name, value in values if value is not None]
    if wanted.health is not None:
        conditions.append(wanted.health)
    return [*conditions, GOALS.c.parent.is_(None)] if wanted.roots else conditions
