"""Goal alignment: a goal moves in the goal graph."""

from collections.abc import Sequence
from decimal import Decimal

from services.goals.domain.goal_contributions import refuse_two_links
from services.goals.domain.goal_evolution import evolve
from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from services.goals.domain.parent import Placed, Share, refuse_mixed_weights, refuse_wrong_parent
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, RequestBody
from shared.schemas.goals import GoalAligned
from shared.schemas.identifiers import GoalId


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
    refuse_two_links(command.parent, active.contributes_to)
    refuse_wrong_parent(command, command.parent, active.starts_on, active.ends_on)
    refuse_mixed_weights(command, by_hand=aligned.weight_by_hand)
    return [aligned]
