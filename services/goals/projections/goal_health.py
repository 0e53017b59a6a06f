"""Goal health: how the goals of the tree are doing on a day, computed whenever it is asked for."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, and_, case, func, literal, null, or_
from sqlalchemy.dialects.postgresql import JSONB

from services.goals.domain.health import HealthGaps, Standing, health_of
from services.goals.projections.goal_rows import GOALS, GoalRow, GoalState
from shared.schemas.goal_health import Health
from shared.schemas.goal_metrics import MeasuredBy


def health_on(row: GoalRow, today: date, gaps: HealthGaps) -> Health | None:
    """How a goal is doing on that day, by the company's calendar."""
    return health_of(standing(row), today, gaps)


def standing(row: GoalRow) -> Standing:
    """What a goal's health is computed from."""
    return Standing(
        is_open=row.state is GoalState.ACTIVE,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        progress=row.progress,
        said=row.said_health.health if holds(row) and row.said_health else None,
    )


def holds(row: GoalRow) -> bool:
    """Whether what a person said still holds: nobody recorded progress, and those below it did not move it."""
    said = row.said_health
    return said is not None and (row.measured_by != MeasuredBy.CHILDREN.value or said.progress == row.progress)


def is_doing(health: Health, today: date, gaps: HealthGaps) -> ColumnElement[bool]:
    """The same as a condition on `GOALS`, for lists."""
    return _health(today, gaps) == health.value


def is_stale(since: date) -> ColumnElement[bool]:
    """Open, measured by itself, begun, and without a measurement since that day; nobody has said how far it is."""
    goal, day = GOALS.c, literal(since)
    measured = and_(goal.measured_at.is_not(None), goal.measured_at >= day)
    own = goal.measured_by != MeasuredBy.CHILDREN.value
    return and_(goal.state == GoalState.ACTIVE, own, goal.starts_on < day, ~measured)


def _health(today: date, gaps: HealthGaps) -> ColumnElement[str]:
    goal = GOALS.c
    said = goal.said_health.cast(JSONB)
    its_progress = said["progress"].astext.cast(Numeric)
    stays = or_(
        goal.measured_by != MeasuredBy.CHILDREN.value,
        its_progress.is_not_distinct_from(goal.progress),
    )
    return health_by(goal, progress=goal.progress, said=case((stays, said["health"].astext)), on=today, gaps=gaps)


def health_by(
    goal: Any, *, progress: ColumnElement[Any], said: ColumnElement[Any], on: date, gaps: HealthGaps
) -> ColumnElement[str]:
    """How a goal with these columns is doing on that day: `health_of` in SQL. `said` is null unless it still holds."""
    day = literal(on)
    total = func.greatest(goal.ends_on - goal.starts_on + 1, 1).cast(Numeric)
    passed = func.least(func.greatest(day - goal.starts_on, 0), total).cast(Numeric)
    behind = passed * 100 - progress * total
    return case(
        (goal.state != GoalState.ACTIVE, null().cast(Text)),
        (goal.ends_on < day, Health.EXPIRED.value),
        (said.is_not(None), said),
        (progress.is_(None), null().cast(Text)),
        (behind > total * literal(gaps.off_track, Numeric), Health.OFF_TRACK.value),
        (behind > total * literal(gaps.at_risk, Numeric), Health.AT_RISK.value),
        else_=Health.ON_TRACK.value,
    )
