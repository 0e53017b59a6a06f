"""Goal alignment: a goal moves in the goal graph."""

from collections.abc import Sequence
from decimal import Decimal

from services.goals.domain.goal_states import Goal, GoalEvent, active_or_rejected
from services.goals.domain.parent import Placed, Share, refuse_wrong_parent
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, RequestBody
from shared.schemas.goals import GoalAligned
from shared.schemas.identifiers import GoalId


class AlignGoalBody(RequestBody):
    """Under which parent (null: under none), and how much it counts there."""

    parent: GoalId | None
    weight: Share = Decimal(1)


class AlignGoal(AlignGoalBody, Placed, UnderPolicy, Command): ...


def align(goal: Goal, command: AlignGoal) -> Sequence[GoalEvent]:
    active = active_or_rejected(goal)
    if (active.parent, active.weight) == (command.parent, command.weight):
        return []
    refuse_wrong_parent(command, command.parent, active.starts_on, active.ends_on)
    return [GoalAligned(parent=command.parent, previous_parent=active.parent, weight=command.weight)]
