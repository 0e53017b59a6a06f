"""How far are a cycle's reviews, and how are they rated?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, MetaData, Numeric, Table, Text, Uuid, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.review_state import STATE_AFTER, STATES
from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.reviews import TOPIC, ManagerAssessmentSubmitted, ReviewOpened, ReviewStepDue

REVIEWS: Final = Table(
    "reviews_by_cycle",
    MetaData(),
    Column("review", Uuid, primary_key=True),
    Column("cycle", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("manager", Uuid),
    Column("state", Text, nullable=False),
    Column("rated", Boolean),
    Column("overall", Numeric),
    Column("level", Text),
    Column("version", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Index("reviews_by_cycle_by_cycle", "cycle", "review"),
    Index("reviews_by_cycle_by_person", "person", "review"),
    Index("reviews_by_cycle_by_manager", "manager", "review"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A review in a list; `rated`, `overall` and `level` are None until the manager has assessed."""

    review: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None
    state: str
    rated: bool | None
    overall: Decimal | None
    level: str | None
    version: int
    opened_at: datetime
    changed_at: datetime


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    await change_rows(connection, REVIEWS, events, _change)


def _change(recorded: Recorded) -> Row:
    event, at = recorded.event, recorded.envelope.time
    if isinstance(event, ReviewStepDue):
        return {"changed_at": at}
    if type(event) not in STATE_AFTER:
        return {}
    step: Row = {"state": STATE_AFTER[type(event)], "changed_at": at}
    match event:
        case ReviewOpened():
            return {**step, "cycle": event.cycle, "person": event.person, "manager": event.manager, "opened_at": at}
        case ManagerAssessmentSubmitted(score=score):
            return {**step, "rated": score.rated, "overall": score.overall, "level": score.level}
        case _:
            return step


async def page(
    connection: AsyncConnection,
    *,
    cycle: ReviewCycleId | None = None,
    person: PersonId | None = None,
    visible_to: PersonId | None = None,
    after: ReviewId | None = None,
    limit: int,
) -> list[ReviewRow]:
    """Reviews in key order after `after`; `visible_to` leaves only those of that person and those they assess."""
    query = select(REVIEWS).order_by(REVIEWS.c.review).limit(limit)
    if cycle is not None:
        query = query.where(REVIEWS.c.cycle == cycle)
    if person is not None:
        query = query.where(REVIEWS.c.person == person)
    if visible_to is not None:
        query = query.where((REVIEWS.c.person == visible_to) | (REVIEWS.c.manager == visible_to))
    if after is not None:
        query = query.where(REVIEWS.c.review > after)
    return [ReviewRow(**row) for row in (await connection.execute(query)).mappings()]


async def by_state(connection: AsyncConnection, cycle: ReviewCycleId) -> Mapping[str, int]:
    """The number of the cycle's reviews in each state, in the order of the states; those without one are 0."""
    query = select(REVIEWS.c.state, func.count()).where(REVIEWS.c.cycle == cycle).group_by(REVIEWS.c.state)
    counted = {row[0]: row[1] for row in await connection.execute(query)}
    return {state: counted.get(state, 0) for state in STATES}


async def counts(connection: AsyncConnection, cycles: Collection[ReviewCycleId]) -> Mapping[ReviewCycleId, int]:
    """How many reviews each of the cycles has; one without is left out."""
    query = select(REVIEWS.c.cycle, func.count()).where(REVIEWS.c.cycle.in_(cycles)).group_by(REVIEWS.c.cycle)
    return {ReviewCycleId(row[0]): row[1] for row in await connection.execute(query)}


async def by_rating(connection: AsyncConnection, cycle: ReviewCycleId) -> Sequence[tuple[Decimal | None, int]]:
    """How often each overall score was given among the cycle's assessed reviews, ascending; None: not rated."""
    query = (
        select(REVIEWS.c.overall, func.count())
        .where(REVIEWS.c.cycle == cycle, REVIEWS.c.rated.is_not(None))
        .group_by(REVIEWS.c.overall)
        .order_by(REVIEWS.c.overall.nulls_last())
    )
    return [(row[0], row[1]) for row in await connection.execute(query)]


async def by_level(connection: AsyncConnection, cycle: ReviewCycleId) -> Mapping[str | None, int]:
    """How many of the cycle's rated reviews reached each level; None: rated below the first level."""
    query = select(REVIEWS.c.level, func.count()).where(REVIEWS.c.cycle == cycle, REVIEWS.c.rated)
    return {row[0]: row[1] for row in await connection.execute(query.group_by(REVIEWS.c.level))}


PROJECTION: Final = Projection(name="reviews_by_cycle", topics=(TOPIC,), tables=(REVIEWS,), apply=apply)
