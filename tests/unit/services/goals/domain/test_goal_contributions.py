"""Rules of contributions: a goal may contribute to others besides its parent, and never to what is below it."""

from typing import Any

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_contributions import Contribute
from services.goals.domain.parent import ParentGoal
from shared.eventsourcing.decider import Command
from shared.schemas.goal_ties import GoalContributionAdded, GoalContributionRemoved
from shared.schemas.identifiers import GoalId
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_MANAGER, align, parent, set_goal
from tests.unit.services.goals.examples import (
    A_GOAL,
    DECEMBER,
    JANUARY,
    OTHER_PARENT,
    PARENT,
    cancelled,
    team_goal_set,
)

to_parent = GoalContributionAdded(to=PARENT)
other = ParentGoal(goal=OTHER_PARENT, active=True, starts_on=JANUARY, ends_on=DECEMBER, ancestors=())
below_it = parent.model_copy(update={"ancestors": (A_GOAL,)})
closed = parent.model_copy(update={"active": False})


def contribute(*to: GoalId, targets: tuple[ParentGoal, ...] = (parent, other)) -> Contribute:
    return Contribute(goal=A_GOAL, contributes_to=to, targets=targets, **BY_THE_MANAGER)


def contributing(target: ParentGoal) -> list[Any]:
    """Both ways in which a goal comes to contribute: set so, or said later."""
    return [
        pytest.param([], set_goal(contributes_to=(PARENT,), targets=(target,)), id="set"),
        pytest.param([team_goal_set], contribute(PARENT, targets=(target,)), id="said later"),
    ]


def test_a_goal_contributes_to_others_besides_its_parent() -> None:
    given(GOAL, team_goal_set).when(contribute(PARENT, OTHER_PARENT)).then(
        to_parent, GoalContributionAdded(to=OTHER_PARENT)
    )


def test_a_goal_is_set_with_what_it_contributes_to() -> None:
    given(GOAL).when(set_goal(contributes_to=(PARENT,), targets=(parent,))).then(
        team_goal_set.model_copy(update={"contributes_to": (PARENT,)})
    )


def test_what_is_left_out_is_taken_away() -> None:
    given(GOAL, team_goal_set, to_parent).when(contribute(OTHER_PARENT)).then(
        GoalContributionRemoved(to=PARENT), GoalContributionAdded(to=OTHER_PARENT)
    )


def test_the_same_contributions_change_nothing() -> None:
    given(GOAL, team_goal_set, to_parent).when(contribute(PARENT, PARENT)).then_nothing()


def test_dates_of_contributions_need_not_lie_inside() -> None:
    short = parent.model_copy(update={"ends_on": JANUARY})
    given(GOAL, team_goal_set).when(contribute(PARENT, targets=(short,))).then(to_parent)


@pytest.mark.parametrize(("history", "command"), contributing(below_it))
def test_no_contribution_makes_a_cycle(history: list[Any], command: Command) -> None:
    given(GOAL, *history).when(command).then_rejected("goal-graph-must-be-acyclic", goal=A_GOAL, parent=PARENT)


@pytest.mark.parametrize(("history", "command"), contributing(closed))
def test_a_closed_goal_takes_no_contribution(history: list[Any], command: Command) -> None:
    given(GOAL, *history).when(command).then_rejected("contribution-goal-must-be-active", to=PARENT)


@pytest.mark.parametrize(("history", "command"), contributing(other))
def test_a_contribution_goes_to_a_goal_that_exists(history: list[Any], command: Command) -> None:
    given(GOAL, *history).when(command).then_rejected("contribution-goal-must-exist", to=PARENT)


def test_a_goal_is_linked_to_another_once() -> None:
    below = team_goal_set.model_copy(update={"parent": PARENT})
    given(GOAL, below).when(contribute(PARENT)).then_rejected("goal-must-be-linked-once", to=PARENT)
    given(GOAL, team_goal_set, to_parent).when(align()).then_rejected("goal-must-be-linked-once", to=PARENT)
    given(GOAL).when(
        set_goal(parent=PARENT, parent_goal=parent, contributes_to=(PARENT,), targets=(parent,))
    ).then_rejected("goal-must-be-linked-once", to=PARENT)


def test_a_closed_goal_contributes_to_nothing_new() -> None:
    given(GOAL, team_goal_set, cancelled).when(contribute(PARENT)).then_rejected("goal-is-not-active")
