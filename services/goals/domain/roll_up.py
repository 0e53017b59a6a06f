"""Roll-up: how far a goal is, by its own measurement or by the goals below it, never by both."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, NamedTuple

from shared.schemas.identifiers import GoalId

_PLACES: Final = Decimal(1).scaleb(-12)
_EXACT: Final = Context(prec=1_000)
"""For sums: a figure has at most a hundred digits, so that nothing is rounded, whatever is added first."""
_ROUNDED: Final = Context(prec=60, rounding=ROUND_HALF_UP)


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
        weighted = _EXACT.multiply(weight, progress)
        return Measured(_EXACT.add(self.weight, weight), _EXACT.add(self.weighted, weighted))

    @property
    def mean(self) -> Decimal | None:
        """sum(weight * progress) / sum(weight) to 12 places.

        None is "not measured": there is no such goal, or they weigh nothing. It is never 0 for want of a measurement.
        """
        if self.weight == 0:
            return None
        return _ROUNDED.divide(self.weighted, self.weight).quantize(_PLACES, context=_ROUNDED)


def recomputed(affected: Sequence[Node], others: Mapping[GoalId, Measured]) -> dict[GoalId, Decimal | None]:
    """The progress of these goals, each after the goals below it.

    `affected` holds with a goal everything above it, and `others` what the rest of a goal's children add up to. A goal
    has one source: the goals below it, or itself. In a cycle, which a reader may see for a moment, those that are
    measured by the goals below them are not measured: a pure function of the tree, whatever came first.
    """
    known: dict[GoalId, Decimal | None] = {}
    below = defaultdict(Measured, others)
    waiting = Counter(node.parent for node in affected)
    nodes = {node.goal: node for node in affected}
    ready = deque(node for node in affected if not waiting[node.goal])
    while ready:
        node = ready.popleft()
        progress = known[node.goal] = below[node.goal].mean if node.by_children else node.own
        if (parent := node.parent) is None or parent not in nodes:
            continue
        if node.counts and progress is not None:
            below[parent] = below[parent].with_goal(node.weight, progress)
        waiting[parent] -= 1
        if not waiting[parent]:
            ready.append(nodes[parent])
    return {node.goal: known.get(node.goal, _own(node)) for node in affected}


def _own(node: Node) -> Decimal | None:
    return None if node.by_children else node.own
