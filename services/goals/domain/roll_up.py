"""Roll-up: how far a goal is, by its own measurement or by the goals below it, never by both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Final, NamedTuple

from shared.schemas.identifiers import GoalId

PLACES: Final = 12
_TWICE: Final = Decimal(2).scaleb(PLACES)
_EXACT: Final = Context(prec=1_000)
"""For sums: a figure has at most a hundred digits, so that nothing is rounded, whatever is added first."""


class Node(NamedTuple):
    """A goal in the tree. `own` and `progress` are percent, None: not measured; a cancelled goal does not count.

    `by_children`: its progress is theirs, whatever it measured itself.
    """

    goal: GoalId
    parent: GoalId | None
    weight: Decimal
    counts: bool
    by_children: bool
    own: Decimal | None
    progress: Decimal | None


class Measured(NamedTuple):
    """What goals that count and are measured add up to: their weights, and their progress in percent by its weight."""

    weight: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)

    def with_goal(self, weight: Decimal, progress: Decimal) -> "Measured":
        """With one more; exact, in whatever order."""
        return Measured(_EXACT.add(self.weight, weight), _EXACT.fma(weight, progress, self.weighted))

    @property
    def mean(self) -> Decimal | None:
        """sum(weight * progress) / sum(weight) to 12 places, rounded once, half up.

        None is "not measured": there is no such goal, or they weigh nothing. It is never 0 for want of a measurement.
        """
        if self.weight == 0:
            return None
        halves = _EXACT.fma(self.weighted, _TWICE, self.weight)
        return _EXACT.divide_int(halves, _EXACT.add(self.weight, self.weight)).scaleb(-PLACES, _EXACT)


_NOTHING: Final = Measured()


def recomputed(affected: Sequence[Node], others: Mapping[GoalId, Measured]) -> dict[GoalId, Decimal | None]:
    """The progress of these goals, each after the goals below it.

    `affected` holds with a goal everything above it, and `others` what the rest of a goal's children add up to. A goal
    has one source: the goals below it, or itself. In a cycle, which a reader may see for a moment, those that are
    measured by the goals below them are not measured: a pure function of the tree, whatever came first.
    """
    known: dict[GoalId, Decimal | None] = {}
    below = dict(others)
    waiting = Counter(node.parent for node in affected)
    nodes = {node.goal: node for node in affected}
    ready = [node for node in affected if node.goal not in waiting]
    for goal, parent, weight, counts, by_children, own, _ in ready:
        progress = known[goal] = below.get(goal, _NOTHING).mean if by_children else own
        if parent is None or (above := nodes.get(parent)) is None:
            continue
        if counts and progress is not None:
            below[parent] = below.get(parent, _NOTHING).with_goal(weight, progress)
        waiting[parent] -= 1
        if not waiting[parent]:
            ready.append(above)
    return known | {node.goal: _own(node) for node in affected if node.goal not in known}


def _own(node: Node) -> Decimal | None:
    return None if node.by_children else node.own
