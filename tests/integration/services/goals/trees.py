"""Small goal trees: their events, delivered and read back."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections import goal_tree
from services.goals.projections.goal_rows import GOALS, GoalRow, rows
from shared.eventsourcing.projection import Apply
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import (
    GoalProgressRecorded,
    GoalSet,
    ProgressSource,
)
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.published import recorded
from tests.unit.services.goals.examples import NOW, team_goal_set

ROOT, LEFT, RIGHT, LEAF = (GoalId(UUID(int=number)) for number in range(1, 5))


def goal_set(
    parent: GoalId | None = None, weight: str = "1", *, measured: bool = True, by_children: bool = False
) -> GoalSet:
    metric = team_goal_set.metric if measured else None
    return team_goal_set.model_copy(
        update={
            "parent": parent,
            "weight": Decimal(weight),
            "metric": metric,
            "measured_by": MeasuredBy.CHILDREN if by_children else None,
        }
    )


def moved(percent: str) -> GoalProgressRecorded:
    return GoalProgressRecorded(
        value=Decimal(percent) * 2,
        raw_progress=Decimal(percent),
        progress=Decimal(percent),
        regressed=False,
        measured_at=NOW,
        source=ProgressSource.MANUAL,
    )


async def deliver(engine: AsyncEngine, events: Sequence[Recorded], apply: Apply = goal_tree.apply) -> None:
    async with engine.begin() as connection:
        await apply(connection, events)


async def tree(engine: AsyncEngine) -> dict[GoalId, GoalRow]:
    async with engine.connect() as connection:
        return {row.goal: row for row in await rows(connection, select(GOALS))}


async def progress(engine: AsyncEngine) -> dict[GoalId, Decimal | None]:
    return {goal: row.progress for goal, row in (await tree(engine)).items()}


def history(goal: GoalId, *events: Event) -> list[Recorded]:
    return [recorded(event, stream=goal, version=version) for version, event in enumerate(events, start=1)]
