"""Losing a planned goal: its owner has left, and the plan that weighs it says so."""

from collections.abc import Sequence

from services.goals.domain.plan_states import Agreed, GoalPlan, GoalPlanEvent
from shared.eventsourcing.decider import Command
from shared.schemas.goal_plans import PlannedGoalLost
from shared.schemas.identifiers import GoalId
from shared.schemas.values import ReasonCode


class LoseGoal(Command):
    """The goal is handed over or cancelled without the plan's two sides: its owner is not here any more."""

    goal: GoalId
    reason: ReasonCode


def lose(plan: GoalPlan, command: LoseGoal) -> Sequence[GoalPlanEvent]:
    match plan:
        case Agreed() if command.goal in {weight.goal for weight in plan.counting}:
            return [PlannedGoalLost(owner=plan.scope.owner, goal=command.goal, reason=command.reason)]
        case _:
            return []
