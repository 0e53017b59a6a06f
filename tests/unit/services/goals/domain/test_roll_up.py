"""Rules of the roll-up: who counts, how much, and what is not measured."""

from decimal import Decimal
from uuid import UUID

import pytest

from services.goals.domain.roll_up import Measured, Node, recomputed
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
    assert mean(*children) == (None if expected is None else Decimal(expected))


def mean(*children: Node) -> Decimal | None:
    below = [child._replace(goal=GoalId(UUID(int=10 + n)), parent=ROOT) for n, child in enumerate(children)]
    return recomputed([node(ROOT, by_children=True), *below], {})[ROOT]


def test_children_that_did_not_change_count_as_what_they_add_up_to() -> None:
    changed = node(LEAF, ROOT, "90", weight="2")
    others = {ROOT: Measured().with_goal(Decimal(1), Decimal(30)).with_goal(Decimal(1), Decimal(10))}
    assert recomputed([node(ROOT, by_children=True), changed], others)[ROOT] == 55


def test_what_children_add_up_to_is_exact_in_any_order() -> None:
    figures = [(Decimal("1e-90"), Decimal("1e90")), (Decimal(3), Decimal("0.1")), (Decimal("7e80"), Decimal("1e-99"))]
    one, other = Measured(), Measured()
    for forwards, backwards in zip(figures, reversed(figures), strict=True):
        one, other = one.with_goal(*forwards), other.with_goal(*backwards)
    assert one == other


def test_a_mean_is_rounded_once() -> None:
    """Rounded to sixty digits first it would be a half, and go up."""
    below_a_half = Measured(Decimal(10**61), Decimal(4999999999995 * 10**48 - 1))
    assert str(below_a_half.mean) == "0.499999999999"
    assert str(Measured(Decimal(8), Decimal("0.000000000004")).mean) == "1E-12"


def test_every_level_is_computed_after_the_one_below_it() -> None:
    leaf, root = node(LEAF, MIDDLE, "80"), node(ROOT, by_children=True)
    middle = node(MIDDLE, ROOT, "10", by_children=True)
    other = Measured().with_goal(Decimal(1), Decimal(40))
    assert recomputed([root, middle, leaf], {ROOT: other}) == {ROOT: 60, MIDDLE: 80, LEAF: 80}


def test_a_parent_has_one_source_its_own_metric_or_its_children() -> None:
    child = node(LEAF, ROOT, "90")
    assert recomputed([node(ROOT, own="10"), child], {})[ROOT] == 10
    assert recomputed([node(ROOT, own="10", by_children=True), child], {})[ROOT] == 90


def test_a_goal_measured_by_children_that_are_not_measured_is_not_measured_whatever_its_own() -> None:
    assert recomputed([node(ROOT, own="10", by_children=True), node(LEAF, ROOT)], {})[ROOT] is None


def test_goals_in_a_cycle_have_their_own_progress_or_none() -> None:
    first, second = node(ROOT, MIDDLE, "10", by_children=True), node(MIDDLE, ROOT, "20")
    below = node(LEAF, ROOT, "90")
    assert recomputed([first, second, below], {}) == {ROOT: None, MIDDLE: 20, LEAF: 90}


def test_equal_children_are_rebalanced_as_they_come_and_go() -> None:
    one, two, three = node(own="30"), node(own="60"), node(own="90")
    assert mean(one) == 30
    assert mean(one, two) == 45
    assert mean(one, two, three) == 60
    assert mean(one._replace(counts=False), two, three) == 75


def test_a_parent_that_is_not_there_yet_ends_the_walk() -> None:
    assert recomputed([node(LEAF, ROOT, "90")], {}) == {LEAF: 90}
