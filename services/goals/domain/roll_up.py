"""Roll-up: how far a goal is, by its own measurement or by the goals below it, never by both."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from shared.schemas.identifiers import GoalId

_PLACES: Final = Decimal(1).scaleb(-12)
_DIGITS: Final = 60


@dataclass(frozen=True, slots=True)
class Node:
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


def rolled_up(children: Sequence[Node]) -> Decimal | None:
    """sum(weight * progress) / sum(weight) over the children that count and are measured, to 12 places.

    None is "not measured": there is no such child, or they weigh nothing. It is never 0 for want of a measurement.
    """
    with localcontext(prec=_DIGITS):
        measured = [(child.weight, child.progress) for child in children if child.counts and child.progress is not None]
        total = sum((weight for weight, _ in measured), Decimal(0))
        if total == 0:
            return None
        exact = sum((weight * progress for weight, progress in measured), Decimal(0)) / total
        return exact.quantize(_PLACES, rounding=ROUND_HALF_UP)


def recomputed(affected: Sequence[Node], children: Mapping[GoalId, Sequence[Node]]) -> dict[GoalId, Decimal | None]:
    """The progress of these goals, each after the goals below it.

    `affected` holds with a goal everything above it, and `children` all children of each. A goal has one source: the
    goals below it, or itself. In a cycle, which a reader may see for a moment, those that are measured by the goals
    below them are not measured: a pure function of the tree, whatever came first.
    """
    nodes = {node.goal: node for node in affected}
    known: dict[GoalId, Decimal | None] = {}
    waiting = {goal: sum(child.goal in nodes for child in children.get(goal, ())) for goal in nodes}
    ready = deque(goal for goal, count in waiting.items() if count == 0)
    while ready:
        node = nodes[ready.popleft()]
        known[node.goal] = _progress(node, children.get(node.goal, ()), known)
        if (parent := node.parent) is not None and parent in waiting:
            waiting[parent] -= 1
            if waiting[parent] == 0:
                ready.append(parent)
    return {node.goal: known.get(node.goal, _own(node)) for node in affected}


def _progress(node: Node, children: Sequence[Node], known: Mapping[GoalId, Decimal | None]) -> Decimal | None:
    if not node.by_children:
        return node.own
    current = [replace(child, progress=known.get(child.goal, child.progress)) for child in children]
    return rolled_up(current)


def _own(node: Node) -> Decimal | None:
    return None if node.by_children else node.own
