"""Readable goals: which goals of the tree somebody may see, one or a page of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, any_, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.projections.goal_readers import Reader, seen_by
from services.goals.projections.goal_rows import GOALS, GoalRow, GoalState, rows
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId, PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which goals: None is any. `owners` is a query for people: whose goals; `further` are conditions on the rows."""

    owner: PersonId | None = None
    owners: Select[UUID] | None = None
    level: GoalLevel | None = None
    team: str | None = None
    state: GoalState | None = None
    parent: GoalId | None = None
    expired: bool | None = None
    roots: bool = False
    further: tuple[ColumnElement[bool], ...] = ()


class Order(StrEnum):
    """In which order a list of goals comes; what was measured least, not at all last."""

    OLDEST = "oldest"
    NEWEST = "newest"
    ENDS_ON = "ends-on"
    PROGRESS = "progress"


UNMEASURED: Final = Decimal(101)
"""What a goal that was not measured is sorted by."""


def sort_key(row: GoalRow, order: Order) -> tuple[Any, ...]:
    """What the goal is sorted by; its id makes that unique."""
    match order:
        case Order.ENDS_ON:
            return row.ends_on, row.goal
        case Order.PROGRESS:
            return UNMEASURED if row.progress is None else row.progress, row.goal
        case _:
            return (row.goal,)


async def find(connection: AsyncConnection, goal: GoalId) -> GoalRow | None:
    found = await rows(connection, select(GOALS).where(GOALS.c.goal == goal))
    return found[0] if found else None


async def shown_progress(engine: AsyncEngine, goal: GoalId) -> Decimal | None:
    """The progress that whoever judges the goal is shown at this moment."""
    async with engine.connect() as connection:
        return await connection.scalar(select(GOALS.c.progress).where(GOALS.c.goal == goal))


async def readable(
    connection: AsyncConnection,
    reader: Reader,
    wanted: Filter,
    *,
    after: tuple[Any, ...] | None,
    limit: int,
    order: Order = Order.OLDEST,
) -> list[GoalRow]:
    """The goals that the reader may see, those that come after a sort key."""
    owners = None if wanted.parent is None else _owners_below(wanted.parent)
    query = select(GOALS).where(seen_by(reader, GOALS, owners=owners), *conditions(wanted, GOALS.c))
    return await rows(connection, in_order(query, GOALS.c, order, after).limit(limit))


def in_order(query: Select[Any], columns: Any, order: Order, after: tuple[Any, ...] | None) -> Select[Any]:
    """The query of goals by these columns, those after a sort key."""
    by, goal = _sorted_by(columns, order), columns.goal
    if order is Order.NEWEST:
        query = query.order_by(goal.desc())
        return query if after is None else query.where(goal < after[-1])
    query = query.order_by(*by, goal)
    if after is None:
        return query
    if not by:
        return query.where(goal > after[-1])
    return query.where(or_(by[0] > after[0], and_(by[0] == after[0], goal > after[-1])))


def _sorted_by(columns: Any, order: Order) -> tuple[ColumnElement[Any], ...]:
    match order:
        case Order.ENDS_ON:
            return (columns.ends_on,)
        case Order.PROGRESS:
            return (func.coalesce(columns.progress, UNMEASURED),)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class GoalStanding:
    """What of a goal in the tree decides who sees it."""

    level: str
    owner: PersonId
    team: str | None
    visibility: str | None
    contributors: Sequence[PersonId]


async def standings(connection: AsyncConnection, goals: Collection[GoalId]) -> dict[GoalId, GoalStanding]:
    """Of those of these goals that have reached the tree."""
    columns = [GOALS.c[field.name] for field in fields(GoalStanding)]
    query = select(GOALS.c.goal, *columns).where(GOALS.c.goal == any_(literal(list(goals), ARRAY(Uuid))))
    return {GoalId(goal): GoalStanding(*standing) for goal, *standing in await connection.execute(query)}


async def hidden_below(connection: AsyncConnection, reader: Reader, goal: GoalId) -> int:
    """How many goals below this one the reader does not see; cancelled ones count nowhere."""
    below = and_(GOALS.c.parent == goal, GOALS.c.state != GoalState.CANCELLED)
    query = (
        select(func.count())
        .select_from(GOALS)
        .where(below, seen_by(reader, GOALS, owners=_owners_below(goal)).is_not(true()))
    )
    return await connection.scalar(query) or 0


def _owners_below(goal: GoalId) -> Select[UUID]:
    child = GOALS.alias("child").c
    return select(child.owner).where(child.parent == goal)


def conditions(wanted: Filter, goal: Any) -> list[ColumnElement[bool]]:
    """The filter as conditions on the columns of a table of goals."""
    named = ("owner", "level", "team", "state", "parent", "expired")
    values = ((name, getattr(wanted, name)) for name in named)
    found: list[ColumnElement[bool]] = [goal[name] == value for name, value in values if value is not None]
    if wanted.owners is not None:
        found.append(goal.owner.in_(wanted.owners))
    found += wanted.further
    return [*found, goal.parent.is_(None)] if wanted.roots else found
