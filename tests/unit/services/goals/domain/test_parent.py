"""Rules of being below another goal: it exists, is active, is not below oneself and holds one's dates."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_alignment import ALIGNMENT_RESTS
from services.goals.domain.goal_setting import SetGoal
from services.goals.domain.goal_states import as_parent
from services.goals.domain.parent import ParentGoal
from shared.eventsourcing.decider import Command
from shared.schemas.goals import GoalAligned
from tests.spec import given
from tests.unit.services.goals.commands import align, parent, set_goal, under_parent
from tests.unit.services.goals.examples import A_GOAL, JANUARY, JUNE, OTHER_PARENT, PARENT, cancelled, team_goal_set
from tests.unit.services.goals.policies import choosing


def test_a_goal_is_set_under_a_parent_with_its_weight_there() -> None:
    command = set_goal(parent=PARENT, parent_goal=parent, weight=Decimal("2.5"))
    given(GOAL).when(command).then(
        team_goal_set.model_copy(update={"parent": PARENT, "weight": Decimal("2.5"), "weight_by_hand": True})
    )


@pytest.mark.parametrize("command", [set_goal(parent=PARENT), align(parent_goal=None)])
def test_a_parent_that_was_never_set_is_refused(command: Command) -> None:
    history = [] if isinstance(command, SetGoal) else [team_goal_set]
    given(GOAL, *history).when(command).then_rejected("parent-goal-must-exist", parent=PARENT)


def test_a_goal_is_aligned_under_a_parent() -> None:
    given(GOAL, team_goal_set).when(align()).then(under_parent)


def test_a_goal_is_moved_from_one_parent_to_another() -> None:
    other = parent.model_copy(update={"goal": OTHER_PARENT, "ancestors": ()})
    command = align(parent=OTHER_PARENT, parent_goal=other, weight=Decimal(3))
    given(GOAL, team_goal_set, under_parent).when(command).then(
        GoalAligned(parent=OTHER_PARENT, previous_parent=PARENT, weight=Decimal(3), weight_by_hand=True)
    )


def test_a_goal_is_taken_from_under_its_parent() -> None:
    given(GOAL, team_goal_set, under_parent).when(align(parent=None, parent_goal=None)).then(
        GoalAligned(parent=None, previous_parent=PARENT)
    )


def test_aligning_where_a_goal_already_is_changes_nothing() -> None:
    given(GOAL, team_goal_set, under_parent).when(align()).then_nothing()


def test_another_weight_under_the_same_parent_is_an_alignment() -> None:
    given(GOAL, team_goal_set, under_parent).when(align(weight=Decimal(0))).then(
        GoalAligned(parent=PARENT, previous_parent=PARENT, weight=Decimal(0), weight_by_hand=True)
    )


def test_a_goal_is_not_its_own_parent() -> None:
    itself = parent.model_copy(update={"goal": A_GOAL, "ancestors": ()})
    given(GOAL, team_goal_set).when(align(parent=A_GOAL, parent_goal=itself)).then_rejected(
        "goal-graph-must-be-acyclic", goal=A_GOAL
    )


def test_a_goal_is_not_aligned_under_a_goal_below_it() -> None:
    below = parent.model_copy(update={"ancestors": (OTHER_PARENT, A_GOAL)})
    given(GOAL, team_goal_set).when(align(parent_goal=below)).then_rejected(
        "goal-graph-must-be-acyclic", goal=A_GOAL, parent=PARENT, ancestors=(OTHER_PARENT, A_GOAL)
    )


def test_a_goal_is_not_aligned_under_a_closed_one() -> None:
    closed = parent.model_copy(update={"active": False})
    given(GOAL, team_goal_set).when(align(parent_goal=closed)).then_rejected(
        "parent-goal-must-be-active", parent=PARENT
    )


@pytest.mark.parametrize(
    "dates",
    [
        {"starts_on": JANUARY + timedelta(days=1)},
        {"ends_on": JUNE - timedelta(days=1)},
    ],
)
def test_a_childs_dates_lie_inside_its_parents(dates: dict[str, date]) -> None:
    narrow = parent.model_copy(update=dates)
    given(GOAL, team_goal_set).when(align(parent_goal=narrow)).then_rejected(
        "child-dates-must-lie-inside-parent", starts_on=JANUARY, ends_on=JUNE
    )


def test_a_goal_below_learns_the_dates_the_state_and_the_ancestors_of_the_goal_above() -> None:
    open_goal = GOAL.fold([team_goal_set])
    closed_goal = GOAL.fold([team_goal_set, cancelled])
    expected = ParentGoal(goal=PARENT, active=True, starts_on=JANUARY, ends_on=JUNE, ancestors=(OTHER_PARENT,))
    assert as_parent(GOAL.initial, PARENT, []) is None
    assert as_parent(open_goal, PARENT, [OTHER_PARENT]) == expected
    assert as_parent(closed_goal, PARENT, [OTHER_PARENT]) == expected.model_copy(update={"active": False})


def test_in_its_last_days_a_goal_moves_under_no_other_parent_where_the_policy_says_so() -> None:
    fortnight = choosing(ALIGNMENT_RESTS, 14)
    late: dict[str, Any] = {"at": datetime(2026, 6, 17, 9, tzinfo=UTC), "policy": fortnight}
    given(GOAL, team_goal_set).when(align(**late)).then_rejected(
        "goal-must-stay-in-its-last-days", ends_on=JUNE, days=14
    )
    given(GOAL, team_goal_set, under_parent).when(align(parent=None, parent_goal=None, **late)).then_rejected(
        "goal-must-stay-in-its-last-days"
    )
    given(GOAL, team_goal_set).when(align(at=late["at"] - timedelta(days=1), policy=fortnight)).then(under_parent)
    given(GOAL, team_goal_set).when(align(at=late["at"])).then(under_parent)


def test_in_its_last_days_a_goal_may_weigh_otherwise_where_it_is() -> None:
    late: dict[str, Any] = {"at": datetime(2026, 6, 30, 9, tzinfo=UTC), "policy": choosing(ALIGNMENT_RESTS, 14)}
    heavier = align(weight=Decimal(2), **late)
    given(GOAL, team_goal_set, under_parent).when(heavier).then(
        GoalAligned(parent=PARENT, previous_parent=PARENT, weight=Decimal(2), weight_by_hand=True)
    )
