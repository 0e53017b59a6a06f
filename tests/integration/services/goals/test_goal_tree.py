"""The goal tree: events in, rows out."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections.goal_rows import GoalState
from shared.schemas.goal_metrics import GoalMeasureChosen, Keep, KeepPeriod, MeasuredBy, Metric, MetricKind
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalLevel,
)
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText
from tests.integration.services.goals.published import recorded
from tests.integration.services.goals.trees import (
    LEAF,
    LEFT,
    RIGHT,
    ROOT,
    deliver,
    goal_set,
    history,
    moved,
    progress,
    tree,
)
from tests.unit.services.goals.examples import JUNE, NOW, OWNER, team_goal_set


async def test_a_goal_is_shown_as_it_was_set(engine: AsyncEngine) -> None:
    await deliver(engine, history(LEFT, goal_set(ROOT, "2.5")))
    row = (await tree(engine))[LEFT]
    assert (row.version, row.state, row.parent, row.weight) == (1, GoalState.ACTIVE, ROOT, Decimal("2.5"))
    assert (row.level, row.team, row.title, row.metric) == (
        "team",
        "Support",
        team_goal_set.title,
        team_goal_set.metric,
    )
    assert (row.value, row.own_progress, row.progress) == (200, 0, 0)


async def test_a_personal_title_stays_sealed(engine: AsyncEngine) -> None:
    sealed = PersonalText(person=OWNER, key="key", ciphertext="c2VhbGVk", bound_to="event/title")
    await deliver(
        engine, history(LEAF, goal_set().model_copy(update={"level": GoalLevel.PERSON, "team": None, "title": sealed}))
    )
    assert (await tree(engine))[LEAF].title == sealed


async def test_a_goal_shows_its_last_measurement_and_its_closing(engine: AsyncEngine) -> None:
    achieved = GoalAchieved(value=Decimal(20), progress=Decimal(90), closed_on=JUNE)
    await deliver(engine, history(LEFT, goal_set(), moved("30"), achieved))
    row = (await tree(engine))[LEFT]
    assert (row.version, row.state, row.value, row.progress) == (3, GoalState.ACHIEVED, 20, 90)
    assert (row.measured_at, row.closed_on) == (NOW, JUNE)


async def test_a_parent_is_the_weighted_mean_of_its_children_and_not_its_own_metric(engine: AsyncEngine) -> None:
    await deliver(
        engine,
        [
            *history(
                ROOT,
                goal_set(),
                moved("99"),
                GoalMeasureChosen(measured_by=MeasuredBy.CHILDREN, previous=MeasuredBy.METRIC),
            ),
            *history(LEFT, goal_set(ROOT, "1"), moved("50")),
            *history(RIGHT, goal_set(ROOT, "2"), moved("100")),
        ],
    )
    assert (await progress(engine))[ROOT] == Decimal("83.333333333333")


async def test_a_goal_has_one_source_and_changes_it_with_all_above_it(engine: AsyncEngine) -> None:
    by_children = GoalMeasureChosen(measured_by=MeasuredBy.CHILDREN, previous=MeasuredBy.METRIC)
    back = GoalMeasureChosen(measured_by=MeasuredBy.METRIC, previous=MeasuredBy.CHILDREN)
    await deliver(engine, history(ROOT, goal_set(measured=False)))
    await deliver(engine, history(LEFT, goal_set(ROOT), moved("30")))
    await deliver(engine, history(LEAF, goal_set(LEFT), moved("80")))
    assert await progress(engine) == {ROOT: 30, LEFT: 30, LEAF: 80}
    await deliver(engine, [recorded(by_children, stream=LEFT, version=3)])
    assert await progress(engine) == {ROOT: 80, LEFT: 80, LEAF: 80}
    await deliver(engine, [recorded(back, stream=LEFT, version=4)])
    assert await progress(engine) == {ROOT: 30, LEFT: 30, LEAF: 80}


async def test_a_goal_that_was_closed_with_a_figure_keeps_it_whatever_its_children_do(engine: AsyncEngine) -> None:
    achieved = GoalAchieved(value=None, progress=Decimal(60), closed_on=JUNE)
    await deliver(engine, history(LEFT, goal_set(ROOT, measured=False), achieved))
    await deliver(engine, history(LEAF, goal_set(LEFT), moved("90")))
    await deliver(engine, history(ROOT, goal_set(measured=False)))
    assert await progress(engine) == {ROOT: 60, LEFT: 60, LEAF: 90}


async def test_a_late_measurement_moves_nothing(engine: AsyncEngine) -> None:
    late = moved("90").model_copy(update={"measured_at": NOW - timedelta(days=1), "late": True})
    await deliver(engine, [*history(ROOT, goal_set(measured=False)), *history(LEFT, goal_set(ROOT), moved("30"), late)])
    row = (await tree(engine))[LEFT]
    assert (row.version, row.value, row.own_progress, row.measured_at) == (3, 60, 30, NOW)
    assert (await progress(engine))[ROOT] == 30


async def test_of_bounds_to_keep_a_late_measurement_changes_the_share(engine: AsyncEngine) -> None:
    keep = Keep(least=Decimal(95), most=None, period=KeepPeriod.MONTH)
    metric = Metric(kind=MetricKind.KEEP, start=None, target=None, keep=keep)
    late = moved("50").model_copy(update={"measured_at": NOW - timedelta(days=40), "late": True})
    await deliver(engine, history(LEFT, goal_set().model_copy(update={"metric": metric})))
    assert (await progress(engine))[LEFT] is None
    await deliver(engine, [recorded(moved("100"), stream=LEFT, version=2), recorded(late, stream=LEFT, version=3)])
    row = (await tree(engine))[LEFT]
    assert (row.value, row.measured_at, row.progress) == (200, NOW, 50)


async def test_raw_and_capped_progress_are_kept(engine: AsyncEngine) -> None:
    beyond = moved("100").model_copy(update={"raw_progress": Decimal(140)})
    await deliver(engine, history(LEFT, goal_set(), beyond))
    row = (await tree(engine))[LEFT]
    assert (row.raw_progress, row.own_progress, row.progress) == (140, 100, 100)


async def test_a_weight_of_zero_does_not_count(engine: AsyncEngine) -> None:
    events = [*history(ROOT, goal_set(measured=False)), *history(LEFT, goal_set(ROOT, "0"), moved("50"))]
    await deliver(engine, events)
    assert (await progress(engine))[ROOT] is None


async def test_a_goal_without_metric_and_children_is_not_measured_and_counts_nowhere(engine: AsyncEngine) -> None:
    await deliver(
        engine,
        [
            *history(ROOT, goal_set(measured=False)),
            *history(LEFT, goal_set(ROOT, measured=False)),
            *history(RIGHT, goal_set(ROOT), moved("40")),
        ],
    )
    assert await progress(engine) == {ROOT: Decimal(40), LEFT: None, RIGHT: Decimal(40)}


async def test_a_cancelled_child_does_not_count_and_an_achieved_one_does(engine: AsyncEngine) -> None:
    achieved = GoalAchieved(value=Decimal(0), progress=Decimal(80), closed_on=JUNE)
    await deliver(
        engine,
        [
            *history(ROOT, goal_set(measured=False)),
            *history(LEFT, goal_set(ROOT), moved("10"), GoalCancelled(reason="merged")),
            *history(RIGHT, goal_set(ROOT), achieved),
        ],
    )
    assert (await progress(engine))[ROOT] == 80


async def test_moving_a_goal_recomputes_its_old_and_its_new_parent(engine: AsyncEngine) -> None:
    await deliver(
        engine,
        [
            *history(LEFT, goal_set(measured=False)),
            *history(RIGHT, goal_set(measured=False)),
            *history(LEAF, goal_set(LEFT), moved("60")),
        ],
    )
    assert await progress(engine) == {LEFT: 60, RIGHT: None, LEAF: 60}
    move = GoalAligned(parent=RIGHT, previous_parent=LEFT)
    await deliver(engine, [recorded(move, stream=LEAF, version=3)])
    assert await progress(engine) == {LEFT: None, RIGHT: 60, LEAF: 60}


async def test_a_child_may_come_before_its_parent(engine: AsyncEngine) -> None:
    await deliver(engine, history(LEAF, goal_set(LEFT), moved("60")))
    await deliver(engine, history(ROOT, goal_set(measured=False)))
    await deliver(engine, history(LEFT, goal_set(ROOT, measured=False)))
    assert await progress(engine) == {ROOT: 60, LEFT: 60, LEAF: 60}


async def test_a_momentary_cycle_ends_the_walk_and_heals(engine: AsyncEngine) -> None:
    """LEFT was under RIGHT; then LEFT moved away and RIGHT moved under it: the second is seen before the first."""
    away = recorded(GoalAligned(parent=ROOT, previous_parent=RIGHT), stream=LEFT, version=2)
    below = recorded(GoalAligned(parent=LEFT, previous_parent=None), stream=RIGHT, version=2)
    await deliver(engine, history(ROOT, goal_set(measured=False)))
    await deliver(engine, history(RIGHT, goal_set(measured=False)))
    await deliver(engine, history(LEFT, goal_set(RIGHT, measured=False)))
    await deliver(engine, [below])
    await deliver(engine, history(LEAF, goal_set(RIGHT), moved("70")))
    assert await progress(engine) == {ROOT: None, RIGHT: None, LEFT: None, LEAF: 70}
    await deliver(engine, [away])
    assert await progress(engine) == {ROOT: 70, LEFT: 70, RIGHT: 70, LEAF: 70}


@pytest.mark.parametrize("size", [1, 500])
async def test_a_slice_of_any_size_is_applied_with_the_same_few_statements(engine: AsyncEngine, size: int) -> None:
    statements: list[str] = []
    listen(engine.sync_engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    goals = [GoalId(UUID(int=number)) for number in range(10, 10 + size)]
    events = [record for goal in goals for record in history(goal, goal_set(ROOT), moved("25"))]
    await deliver(engine, [*history(ROOT, goal_set(measured=False)), *events])
    assert len(statements) == 5
    assert (await progress(engine))[ROOT] == 25
