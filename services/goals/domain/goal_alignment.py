"""Goal alignment: a goal moves in the goal graph."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from services.goals.domain.goal_contributions import refuse_two_links
from services.goals.domain.goal_evolution import evolve
from services.goals.domain.goal_states import Active, Goal, GoalEvent, active_or_rejected
from services.goals.domain.parent import Placed, Share, refuse_mixed_weights, refuse_wrong_parent
from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goals import GoalAligned
from shared.schemas.identifiers import GoalId

_Days = Annotated[int, Field(ge=1, le=366)]

ALIGNMENT_RESTS: Final[Option[int | None]] = Option(
    "alignment-rests-days",
    _Days | None,
    default=None,
    means="in so many last days of its period a goal moves under no other parent; null: it may until the end",
)


class AlignGoalBody(RequestBody):
    """Under which parent (null: under none), and what it weighs there: as much as its siblings unless it is said."""

    parent: GoalId | None
    weight: Share | None = None


class AlignGoal(AlignGoalBody, Placed, UnderPolicy, Command): ...


def align(goal: Goal, command: AlignGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    aligned = GoalAligned(
        parent=command.parent,
        previous_parent=active.parent,
        weight=Decimal(1) if command.weight is None else command.weight,
        weight_by_hand=command.weight is not None,
    )
    if evolve(active, aligned) == active:
        return []
    if command.parent != active.parent:
        _refuse_at_the_end(active, command)
    refuse_two_links(command.parent, active.contributes_to)
    refuse_wrong_parent(command, command.parent, active.starts_on, active.ends_on)
    refuse_mixed_weights(command, by_hand=aligned.weight_by_hand)
    return [aligned]


def _refuse_at_the_end(active: Active, command: AlignGoal) -> None:
    days = command.policy[ALIGNMENT_RESTS]
    if days is not None and (active.ends_on - command.at.date()).days < days:
        raise Rejected("goal-must-stay-in-its-last-days", ends_on=active.ends_on, days=days)
