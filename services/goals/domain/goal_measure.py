"""Goal measure: the one source that a goal's progress comes from, and how much the goals below it weigh."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from services.goals.domain.goal_lock import Amendable, refuse_what_is_agreed
from services.goals.domain.goal_states import Achieved, Goal, GoalEvent, Missed, active_or_rejected
from services.goals.domain.parent import Share
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy
from shared.schemas.goals import GoalAligned
from shared.schemas.identifiers import GoalId
from shared.schemas.values import Known


class ChooseMeasureBody(RequestBody):
    measured_by: Known[MeasuredBy]


class ChooseMeasure(ChooseMeasureBody, Amendable): ...


class ChildWeight(RequestBody):
    goal: GoalId
    weight: Share


class WeighChildrenBody(RequestBody):
    """Every goal below this one with its weight, or none: then they weigh the same."""

    weights: Annotated[tuple[ChildWeight, ...], Field(max_length=1000)] = ()


class WeighChildren(WeighChildrenBody, UnderPolicy, Command):
    """`below`: the goals below it that count, as the handler found them."""

    below: tuple[GoalId, ...]


class WeighGoal(UnderPolicy, Command):
    """One child's part of that: `weight` None is as much as its siblings."""

    weight: Share | None


def choose_measure(goal: Goal, command: ChooseMeasure) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if active.measured_by is command.measured_by:
        return []
    refuse_what_is_agreed(active, command, "measure")
    if active.objective is not None:
        raise Rejected("objective-must-be-measured-by-its-key-results", measured_by=command.measured_by)
    refuse_measure_that_does_not_fit(command.measured_by, has_metric=active.metric is not None)
    return [GoalMeasureChosen(measured_by=command.measured_by, previous=active.measured_by)]


def refuse_measure_that_does_not_fit(measured_by: MeasuredBy, *, has_metric: bool) -> None:
    """A metric measures what has one; a person says how far a goal is that has none; children may always.

    Raises:
        Rejected: it is the other way round.
    """
    if measured_by is not MeasuredBy.CHILDREN and (measured_by is MeasuredBy.METRIC) != has_metric:
        raise Rejected("measure-must-fit-the-metric", measured_by=measured_by, has_metric=has_metric)


def weigh(goal: Goal, command: WeighGoal) -> Sequence[GoalEvent]:
    """A goal closed with its value counts on, and so it may be weighed anew."""
    counting = goal.was if isinstance(goal, Achieved | Missed) else active_or_rejected(goal)
    weight, by_hand = (Decimal(1), False) if command.weight is None else (command.weight, True)
    if (counting.weight, counting.weight_by_hand) == (weight, by_hand):
        return []
    return [GoalAligned(parent=counting.parent, previous_parent=counting.parent, weight=weight, weight_by_hand=by_hand)]


def weigh_children(goal: Goal, command: WeighChildren) -> Sequence[GoalEvent]:
    """What the goal itself has to say to it; the weights are facts of the goals below."""
    active_or_rejected(goal)
    named = [weight.goal for weight in command.weights]
    if named and (len(set(named)) < len(named) or set(named) != set(command.below)):
        raise Rejected("weights-must-name-each-goal-below-once", named=named, below=list(command.below))
    return []
