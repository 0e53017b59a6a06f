"""Parent: what a goal needs to know of the goal above it, and the rules of being below it."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.identifiers import GoalId
from shared.schemas.values import DecimalString

Share = Annotated[DecimalString, Field(ge=0, max_digits=12, decimal_places=4)]
"""What a goal counts in its parent's roll-up, relative to its siblings; 0 is allowed."""


class ParentGoal(BaseModel):
    """What the handler read of a goal above, under the graph's lock; `ancestors` over both kinds of link.

    `children_weighed_by_hand` is None where no other goal is below it.
    """

    model_config = ConfigDict(frozen=True)

    goal: GoalId
    active: bool
    starts_on: date
    ends_on: date
    ancestors: tuple[GoalId, ...]
    children_weighed_by_hand: bool | None = None


class Placed(RequestBody):
    """A command that puts `goal` under a parent: the facts, read by the handler.

    `parent_goal` is None where no parent is asked for, or none such exists.
    """

    goal: GoalId
    parent_goal: ParentGoal | None = None


def refuse_wrong_parent(placed: Placed, parent: GoalId | None, starts_on: date, ends_on: date) -> None:
    """`starts_on` and `ends_on` are those of the goal that goes below `parent`.

    Raises:
        Rejected: there is no such parent, it is below the goal, it is closed, or its dates do not hold the goal's.
    """
    if parent is None:
        return
    above = placed.parent_goal
    if above is None:
        raise Rejected("parent-goal-must-exist", parent=parent)
    refuse_cycle(placed.goal, above)
    if not above.active:
        raise Rejected("parent-goal-must-be-active", parent=above.goal)
    if starts_on < above.starts_on or ends_on > above.ends_on:
        raise Rejected(
            "child-dates-must-lie-inside-parent",
            starts_on=starts_on,
            ends_on=ends_on,
            parent_starts_on=above.starts_on,
            parent_ends_on=above.ends_on,
        )


def refuse_mixed_weights(placed: Placed, *, by_hand: bool) -> None:
    """The children of a goal are weighed all by hand, or all equally.

    Raises:
        Rejected: the others are weighed the other way.
    """
    above = placed.parent_goal
    if above is None or above.children_weighed_by_hand in (None, by_hand):
        return
    raise Rejected(
        "weights-must-be-all-by-hand-or-all-equal",
        parent=above.goal,
        weight_by_hand=by_hand,
        siblings_by_hand=above.children_weighed_by_hand,
    )


def refuse_cycle(goal: GoalId, above: ParentGoal) -> None:
    """A goal is to be above another one.

    Raises:
        Rejected: it is that goal itself, or hangs below it by whatever links.
    """
    if goal in (above.goal, *above.ancestors):
        raise Rejected("goal-graph-must-be-acyclic", goal=goal, parent=above.goal, ancestors=above.ancestors)
