"""Lists of the past: filtered and sorted by what goals were then, as a fold of the rows of that moment says."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.domain.health import HealthGaps
from services.goals.projections import goal_periods
from services.goals.projections.goal_health import health_on
from services.goals.projections.goal_readers import KINDS, Reader
from services.goals.projections.goal_rows import GoalRow, GoalState
from services.goals.projections.past_goals import Moment
from services.goals.projections.past_lists import Doing, PastPage, readable_then, was_aligned, was_stale
from services.goals.projections.readable_goals import Filter, Order, sort_key
from shared.runtime.authorization import Relation
from shared.schemas.goal_health import Health
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.histories import moments, sources, steps
from tests.integration.services.goals.test_past_goals import Steps, emptied, history_of, then
from tests.integration.services.goals.trees import deliver
from tests.unit.services.goals.examples import JANUARY, OWNER

EVERYTHING = Reader(person=OWNER, sees={Relation.ANY: frozenset(KINDS)})
days = st.integers(0, 200).map(lambda count: JANUARY + timedelta(days=count))
limits = st.tuples(st.integers(0, 60), st.integers(0, 40)).map(
    lambda drawn: HealthGaps(at_risk=Decimal(drawn[0]), off_track=Decimal(sum(drawn)))
)


async def page(
    engine: AsyncEngine, moment: Moment, order: Order = Order.OLDEST, *, wanted: Filter | None = None, **asked: Any
) -> list[GoalId]:
    """All goals that are found, read one by one."""
    found: list[GoalId] = []
    after: tuple[Any, ...] | None = None
    async with engine.connect() as connection:
        while True:
            one = PastPage(order=order, after=after, limit=1, **asked)
            past = await readable_then(connection, EVERYTHING, wanted or Filter(), moment, page=one)
            if not past:
                return found
            found.append(past[0].row.goal)
            after = sort_key(past[0].row, order)


def aligned(row: GoalRow, rows: Mapping[GoalId, GoalRow]) -> bool:
    line: list[GoalId] = []
    above: GoalRow | None = row
    while above is not None and above.goal not in line and above.state is not GoalState.CANCELLED:
        if above.level == GoalLevel.ORGANIZATION.value:
            return True
        line.append(above.goal)
        above = None if above.parent is None else rows.get(above.parent)
    return False


def stale(row: GoalRow, since: date) -> bool:
    measured = row.measured_at is not None and row.measured_at.astimezone(UTC).date() >= since
    own = row.measured_by != MeasuredBy.CHILDREN.value
    return row.state is GoalState.ACTIVE and own and row.starts_on < since and not measured


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(sources, steps, moments, st.tuples(days, limits))
async def test_lists_of_a_moment_hold_what_its_rows_say(
    engine: AsyncEngine,
    sources: list[bool],
    steps: Steps,
    moments: list[Moment],
    policy: tuple[date, HealthGaps],
) -> None:
    day, gaps = policy
    await emptied(engine)
    log = history_of(sources, steps)
    await deliver(engine, log, goal_periods.apply)
    await deliver(engine, log)
    for moment in [Moment(), *moments[:2]]:
        rows = {goal: past.row for goal, past in (await then(engine, moment)).items()}
        for health in (Health.ON_TRACK, Health.AT_RISK, Health.OFF_TRACK, Health.EXPIRED):
            doing = Doing(health=health, day=day, gaps=gaps)
            wanted = [goal for goal in sorted(rows) if health_on(rows[goal], day, gaps) is health]
            assert await page(engine, moment, doing=doing) == wanted, health
        assert await page(engine, moment, wanted=Filter(further=(was_aligned(moment),))) == [
            goal for goal in sorted(rows) if aligned(rows[goal], rows)
        ]
        assert await page(engine, moment, wanted=Filter(further=(was_stale(day),))) == [
            goal for goal in sorted(rows) if stale(rows[goal], day)
        ]
        for order in Order:
            assert await page(engine, moment, order) == in_order(list(rows.values()), order), order


def in_order(rows: Sequence[GoalRow], order: Order) -> list[GoalId]:
    return [row.goal for row in sorted(rows, key=lambda row: sort_key(row, order), reverse=order is Order.NEWEST)]
