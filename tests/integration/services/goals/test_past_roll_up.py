"""Of a large tree all that stood at a moment is rolled up at once: to the same figures as goal by goal."""

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections import goal_periods
from services.goals.projections.past_goals import WALKED, Moment
from shared.schemas.event import Event
from shared.schemas.goals import GoalCancelled
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.test_past_goals import measured, then, told
from tests.integration.services.goals.trees import LEAF, LEFT, RIGHT, ROOT, deliver, goal_set

BY_CHILDREN = goal_set(measured=False)
HALF = "0.000000000001"
"""Beside a goal of the same weight at 0 it comes to half of the last place."""


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param({ROOT: [BY_CHILDREN], LEAF: [goal_set(ROOT)], LEFT: [goal_set(ROOT)]}, HALF, id="a-half-goes-up"),
        pytest.param({ROOT: [BY_CHILDREN], LEAF: [goal_set(ROOT, "0")]}, None, id="what-weighs-nothing"),
        pytest.param({ROOT: [BY_CHILDREN]}, None, id="nothing-below"),
        pytest.param(
            {ROOT: [BY_CHILDREN], LEFT: [BY_CHILDREN.model_copy(update={"parent": ROOT})]}, None, id="no-leaf"
        ),
        pytest.param(
            {
                ROOT: [BY_CHILDREN],
                LEFT: [BY_CHILDREN.model_copy(update={"parent": ROOT})],
                RIGHT: [goal_set(ROOT)],
                LEAF: [goal_set(LEFT)],
            },
            HALF,
            id="a-leaf-beside-what-rolls-up",
        ),
        pytest.param(
            {
                ROOT: [BY_CHILDREN],
                LEFT: [BY_CHILDREN.model_copy(update={"parent": ROOT}), GoalCancelled(reason="merged")],
                LEAF: [goal_set(LEFT)],
            },
            None,
            id="what-was-cancelled",
        ),
    ],
)
async def test_all_that_stood_then_rolls_up_as_it_does_goal_by_goal(
    engine: AsyncEngine, events: dict[GoalId, list[Event]], expected: str | None
) -> None:
    events[LEAF] = [*events.get(LEAF, [goal_set()]), measured(HALF, 5)]
    for goal, told_of in events.items():
        history = [told(goal, version, event, at=version) for version, event in enumerate(told_of, start=1)]
        await deliver(engine, history, goal_periods.apply)
    for walked in (WALKED, 0):
        found = (await then(engine, Moment(), [ROOT], walked=walked))[ROOT].row.progress
        assert found == (None if expected is None else Decimal(expected)), walked


async def test_goals_in_a_cycle_were_not_measured_nor_stop_the_others(engine: AsyncEngine) -> None:
    """Readers of two partitions may see one for a moment."""
    events = [
        told(ROOT, 1, BY_CHILDREN.model_copy(update={"parent": LEFT}), at=0),
        told(LEFT, 1, BY_CHILDREN.model_copy(update={"parent": ROOT}), at=0),
        told(RIGHT, 1, BY_CHILDREN.model_copy(update={"parent": ROOT}), at=0),
        told(LEAF, 1, goal_set(RIGHT), at=0),
    ]
    await deliver(engine, events, goal_periods.apply)
    for walked in (WALKED, 0):
        found = await then(engine, Moment(), [ROOT, LEFT, RIGHT, LEAF], walked=walked)
        assert [found[goal].row.progress for goal in (ROOT, LEFT, RIGHT, LEAF)] == [None, None, 0, 0]
