"""Rules of what a goal's progress comes from, and of what the goals below it weigh."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_measure import ChildWeight, ChooseMeasure, WeighChildren, WeighGoal
from shared.schemas.goal_changes import GoalLocked
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy
from shared.schemas.goals import GoalAchieved, GoalAligned, GoalProgressRecorded, GoalSet, ProgressSource
from tests.spec import given
from tests.unit.services.goals.commands import BY_THE_MANAGER, achieve, align, parent, record, set_goal
from tests.unit.services.goals.examples import (
    JUNE,
    NOW,
    OTHER_PARENT,
    PARENT,
    achieved,
    cancelled,
    halfway,
    team_goal_set,
)

BY_CHILDREN = GoalMeasureChosen(measured_by=MeasuredBy.CHILDREN, previous=MeasuredBy.METRIC)
without_metric = team_goal_set.model_copy(update={"metric": None})
said = team_goal_set.model_copy(update={"metric": None, "measured_by": MeasuredBy.MANUAL})


def choose(measured_by: MeasuredBy) -> ChooseMeasure:
    return ChooseMeasure(measured_by=measured_by, **BY_THE_MANAGER)


def weigh(weight: str | None) -> WeighGoal:
    return WeighGoal(weight=None if weight is None else Decimal(weight), **BY_THE_MANAGER)


@pytest.mark.parametrize(
    ("goal", "source"),
    [(team_goal_set, MeasuredBy.METRIC), (without_metric, MeasuredBy.CHILDREN), (said, MeasuredBy.MANUAL)],
)
def test_a_goal_is_measured_by_its_metric_or_by_its_children_or_by_what_was_chosen(
    goal: GoalSet, source: MeasuredBy
) -> None:
    assert goal.source is source


def test_a_goal_may_be_measured_by_its_children_although_it_has_a_metric() -> None:
    given(GOAL).when(set_goal(measured_by=MeasuredBy.CHILDREN)).then(
        team_goal_set.model_copy(update={"measured_by": MeasuredBy.CHILDREN})
    )
    given(GOAL, team_goal_set).when(choose(MeasuredBy.CHILDREN)).then(BY_CHILDREN)


def test_the_measure_that_a_goal_has_is_not_chosen_again() -> None:
    given(GOAL, team_goal_set).when(choose(MeasuredBy.METRIC)).then_nothing()
    given(GOAL, team_goal_set, BY_CHILDREN).when(choose(MeasuredBy.CHILDREN)).then_nothing()


def test_a_goal_goes_back_to_its_metric_and_stands_where_it_was_measured_last() -> None:
    back = GoalMeasureChosen(measured_by=MeasuredBy.METRIC, previous=MeasuredBy.CHILDREN)
    given(GOAL, team_goal_set, halfway, BY_CHILDREN).when(choose(MeasuredBy.METRIC)).then(back)
    given(GOAL, team_goal_set, halfway, BY_CHILDREN, back).when(achieve()).then(
        GoalAchieved(value=Decimal(100), progress=Decimal(50), closed_on=JUNE)
    )


def test_what_an_agreed_goal_is_measured_by_changes_by_an_amendment() -> None:
    locked = GoalLocked(agreement=PARENT)
    given(GOAL, team_goal_set, locked).when(choose(MeasuredBy.CHILDREN)).then_rejected(
        "agreed-goal-changes-by-amendment", what="measure", agreement=PARENT
    )
    approved = choose(MeasuredBy.CHILDREN).model_copy(update={"amendment": OTHER_PARENT})
    given(GOAL, team_goal_set, locked).when(approved).then(BY_CHILDREN)


def test_only_a_goal_with_a_metric_is_measured_by_it_and_only_one_without_by_hand() -> None:
    given(GOAL, without_metric).when(choose(MeasuredBy.METRIC)).then_rejected(
        "measure-must-fit-the-metric", measured_by=MeasuredBy.METRIC, has_metric=False
    )
    given(GOAL, team_goal_set).when(choose(MeasuredBy.MANUAL)).then_rejected(
        "measure-must-fit-the-metric", measured_by=MeasuredBy.MANUAL, has_metric=True
    )
    given(GOAL).when(set_goal(measured_by=MeasuredBy.MANUAL)).then_rejected("measure-must-fit-the-metric")
    given(GOAL).when(set_goal(metric=None, measured_by=MeasuredBy.METRIC)).then_rejected("measure-must-fit-the-metric")


def test_a_manual_value_is_a_percentage_that_a_person_says() -> None:
    given(GOAL, said).when(record("40")).then(
        GoalProgressRecorded(
            value=Decimal(40),
            raw_progress=Decimal(40),
            progress=Decimal(40),
            regressed=False,
            measured_at=NOW,
            source=ProgressSource.MANUAL,
        )
    )


@pytest.mark.parametrize("value", ["-1", "100.5"])
def test_a_manual_value_lies_within_0_and_100(value: str) -> None:
    given(GOAL, said).when(record(value)).then_rejected("said-progress-must-lie-within-0-and-100", value=Decimal(value))


def test_a_goal_measured_by_its_children_takes_no_value() -> None:
    given(GOAL, team_goal_set, BY_CHILDREN).when(record("7")).then_rejected("goal-is-measured-by-the-goals-below-it")
    given(GOAL, team_goal_set, BY_CHILDREN).when(achieve("7")).then_rejected("goal-is-measured-by-the-goals-below-it")


def test_a_goal_measured_by_its_children_closes_with_the_figure_that_was_shown() -> None:
    shown = achieve().model_copy(update={"rolled_up": Decimal("62.5")})
    closed = GoalAchieved(value=None, progress=Decimal("62.5"), closed_on=JUNE)
    given(GOAL, without_metric).when(shown).then(closed)
    given(GOAL, team_goal_set, halfway, BY_CHILDREN).when(shown).then(closed)


# -- what the goals below weigh


def siblings(*, by_hand: bool | None) -> dict[str, object]:
    return {"parent": PARENT, "parent_goal": parent.model_copy(update={"children_weighed_by_hand": by_hand})}


@pytest.mark.parametrize("by_hand", [None, False])
def test_a_goal_without_a_weight_joins_goals_that_weigh_the_same(*, by_hand: bool | None) -> None:
    given(GOAL).when(set_goal(**siblings(by_hand=by_hand))).then(team_goal_set.model_copy(update={"parent": PARENT}))
    given(GOAL, team_goal_set).when(align(**siblings(by_hand=by_hand))).then(
        GoalAligned(parent=PARENT, previous_parent=None)
    )


@pytest.mark.parametrize("by_hand", [None, True])
def test_a_goal_with_a_weight_joins_goals_that_have_one(*, by_hand: bool | None) -> None:
    weight = Decimal("2.5")
    given(GOAL).when(set_goal(weight=weight, **siblings(by_hand=by_hand))).then(
        team_goal_set.model_copy(update={"parent": PARENT, "weight": weight, "weight_by_hand": True})
    )
    given(GOAL, team_goal_set).when(align(weight=weight, **siblings(by_hand=by_hand))).then(
        GoalAligned(parent=PARENT, previous_parent=None, weight=weight, weight_by_hand=True)
    )


def test_weights_are_all_by_hand_or_all_equal() -> None:
    given(GOAL).when(set_goal(weight=Decimal(2), **siblings(by_hand=False))).then_rejected(
        "weights-must-be-all-by-hand-or-all-equal", parent=PARENT, weight_by_hand=True, siblings_by_hand=False
    )
    given(GOAL).when(set_goal(**siblings(by_hand=True))).then_rejected("weights-must-be-all-by-hand-or-all-equal")
    given(GOAL, team_goal_set).when(align(**siblings(by_hand=True))).then_rejected(
        "weights-must-be-all-by-hand-or-all-equal", parent=PARENT, weight_by_hand=False, siblings_by_hand=True
    )


def test_all_children_are_weighed_at_once_each_named_once() -> None:
    def weighing(*named: object) -> WeighChildren:
        weights = tuple(ChildWeight.model_validate({"goal": goal, "weight": "1"}) for goal in named)
        return WeighChildren(weights=weights, below=(PARENT, OTHER_PARENT), **BY_THE_MANAGER)

    given(GOAL, team_goal_set).when(weighing(PARENT, OTHER_PARENT)).then_nothing()
    given(GOAL, team_goal_set).when(weighing()).then_nothing()
    for wrong in [(PARENT,), (PARENT, PARENT, OTHER_PARENT)]:
        given(GOAL, team_goal_set).when(weighing(*wrong)).then_rejected(
            "weights-must-name-each-goal-below-once", below=[PARENT, OTHER_PARENT], named=list(wrong)
        )
    given(GOAL, team_goal_set, cancelled).when(weighing()).then_rejected("goal-is-not-active")


def test_a_weighed_goal_stays_where_it_is() -> None:
    under = GoalAligned(parent=PARENT, previous_parent=None)
    by_hand = GoalAligned(parent=PARENT, previous_parent=PARENT, weight=Decimal(3), weight_by_hand=True)
    given(GOAL, team_goal_set, under).when(weigh("3")).then(by_hand)
    given(GOAL, team_goal_set, under, by_hand).when(weigh("3")).then_nothing()
    given(GOAL, team_goal_set, under, by_hand).when(weigh(None)).then(
        GoalAligned(parent=PARENT, previous_parent=PARENT)
    )
    given(GOAL, team_goal_set, under).when(weigh(None)).then_nothing()
    given(GOAL, team_goal_set, cancelled).when(weigh("3")).then_rejected("goal-is-not-active")


def test_an_achieved_goal_counts_on_and_may_be_weighed_anew() -> None:
    under = GoalAligned(parent=PARENT, previous_parent=None)
    by_hand = GoalAligned(parent=PARENT, previous_parent=PARENT, weight=Decimal(3), weight_by_hand=True)
    given(GOAL, team_goal_set, under, achieved).when(weigh("3")).then(by_hand)
    given(GOAL, team_goal_set, under, achieved, by_hand).when(weigh("3")).then_nothing()


def test_a_value_of_another_source_stays_known() -> None:
    """Measured by its metric, then by its children, then by its metric again: the late one is still late."""
    back = GoalMeasureChosen(measured_by=MeasuredBy.METRIC, previous=MeasuredBy.CHILDREN)
    late = record("20", measured_at=NOW - timedelta(days=1))
    given(GOAL, team_goal_set, halfway, BY_CHILDREN, back).when(late).then(
        GoalProgressRecorded(
            value=Decimal(20),
            raw_progress=Decimal(90),
            progress=Decimal(90),
            regressed=False,
            measured_at=NOW - timedelta(days=1),
            source=ProgressSource.MANUAL,
            late=True,
        )
    )
