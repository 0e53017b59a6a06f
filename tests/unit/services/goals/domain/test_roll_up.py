"""Rules of the roll-up: who counts, how much, and what is not measured."""

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
) -> Node:
    progress = None if own is None else Decimal(own)
    return Node(goal, parent, Decimal(weight), counts=counts, own=progress, progress=progress)


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
    leaf, middle, root = node(LEAF, MIDDLE, "80"), node(MIDDLE, ROOT, "10"), node(ROOT)
    other = node(OTHER, ROOT, "40")
    children = {ROOT: [middle, other], MIDDLE: [leaf]}
    assert recomputed([root, middle, leaf], children) == {ROOT: 60, MIDDLE: 80, LEAF: 80}


def test_a_goal_without_measured_children_has_its_own_progress() -> None:
    assert recomputed([node(ROOT, own="10")], {ROOT: [node(LEAF, ROOT)]}) == {ROOT: 10}


def test_goals_in_a_cycle_have_their_own_progress() -> None:
    first, second, below = node(ROOT, MIDDLE, "10"), node(MIDDLE, ROOT, "20"), node(LEAF, ROOT, "90")
    children = {MIDDLE: [first], ROOT: [second, below]}
    assert recomputed([first, second, below], children) == {ROOT: 10, MIDDLE: 20, LEAF: 90}


def test_a_parent_that_is_not_there_yet_ends_the_walk() -> None:
    assert recomputed([node(LEAF, ROOT, "90")], {}) == {LEAF: 90}
