"""Rules of the roll-up: who counts, how much, and what is not measured."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from services.goals.domain.roll_up import Node, recomputed, rolled_up
from shared.schemas.identifiers import GoalId

ROOT, MIDDLE, LEAF, OTHER = (GoalId(UUID(int=number)) for number in range(4))


def node(
    goal: GoalId = LEAF,
    parent: GoalId | None = None,
    own: str | None = None,
    *,
    weight: str = "1",
    counts: bool = True,
    by_children: bool = False,
) -> Node:
    progress = None if own is None else Decimal(own)
    return Node(goal, parent, Decimal(weight), counts=counts, by_children=by_children, own=progress, progress=progress)


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ([], None),
        ([node(own="50")], "50"),
        ([node(own="0"), node(own="100"), node(own="100")], "66.666666666667"),
        ([node(own="10", weight="3"), node(own="90")], "30"),
        ([node(own="10", weight="0"), node(own="90")], "90"),
        ([node(own="10", weight="0")], None),
        ([node(own=None), node(own="90")], "90"),
        ([node(own=None)], None),
        ([node(own="10", counts=False), node(own="90")], "90"),
        ([node(own="10", counts=False)], None),
    ],
)
def test_a_parent_is_the_weighted_mean_of_its_measured_children(children: list[Node], expected: str | None) -> None:
    assert rolled_up(children) == (None if expected is None else Decimal(expected))


def test_every_level_is_computed_after_the_one_below_it() -> None:
    leaf, root = node(LEAF, MIDDLE, "80"), node(ROOT, by_children=True)
    middle = node(MIDDLE, ROOT, "10", by_children=True)
    other = node(OTHER, ROOT, "40")
    children = {ROOT: [middle, other], MIDDLE: [leaf]}
    assert recomputed([root, middle, leaf], children) == {ROOT: 60, MIDDLE: 80, LEAF: 80}


def test_a_parent_has_one_source_its_own_metric_or_its_children() -> None:
    child = node(LEAF, ROOT, "90")
    assert recomputed([node(ROOT, own="10")], {ROOT: [child]}) == {ROOT: 10}
    assert recomputed([node(ROOT, own="10", by_children=True)], {ROOT: [child]}) == {ROOT: 90}


def test_a_goal_measured_by_children_that_are_not_measured_is_not_measured_whatever_its_own() -> None:
    assert recomputed([node(ROOT, own="10", by_children=True)], {ROOT: [node(LEAF, ROOT)]}) == {ROOT: None}


def test_goals_in_a_cycle_have_their_own_progress_or_none() -> None:
    first, second = node(ROOT, MIDDLE, "10", by_children=True), node(MIDDLE, ROOT, "20")
    below = node(LEAF, ROOT, "90")
    children = {MIDDLE: [first], ROOT: [second, below]}
    assert recomputed([first, second, below], children) == {ROOT: None, MIDDLE: 20, LEAF: 90}


def test_equal_children_are_rebalanced_as_they_come_and_go() -> None:
    one, two, three = node(own="30"), node(own="60"), node(own="90")
    assert rolled_up([one]) == 30
    assert rolled_up([one, two]) == 45
    assert rolled_up([one, two, three]) == 60
    assert rolled_up([replace(one, counts=False), two, three]) == 75


def test_a_parent_that_is_not_there_yet_ends_the_walk() -> None:
    assert recomputed([node(LEAF, ROOT, "90")], {}) == {LEAF: 90}
