"""Goal withdrawal: a goal that was given by an assignment is taken back, as long as nothing rests on it."""

from collections.abc import Sequence
from typing import Final

from services.goals.domain.goal_states import Active, Cancelled, Goal, GoalEvent, active_or_rejected
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.goals import GoalCancelled
from shared.schemas.identifiers import GoalPlanId

UNDONE: Final = "assignment-undone"
"""Why such a goal is cancelled."""


class WithdrawGoal(Command):
    """`resting`: how many goals hang below it or contribute to it; `plan`: one, of whatever state, that names it."""

    resting: int
    plan: GoalPlanId | None


def withdraw(goal: Goal, command: WithdrawGoal) -> Sequence[GoalEvent]:
    if isinstance(goal, Cancelled):
        return []
    active = active_or_rejected(goal)
    _refuse_what_rests_on_it(active, command)
    return [GoalCancelled(reason=UNDONE, comment=None)]


def _refuse_what_rests_on_it(active: Active, command: WithdrawGoal) -> None:
    if active.measured.latest is not None:
        raise Rejected("withdrawn-goal-must-have-no-progress", value=active.current)
    if (plan := next(iter(active.agreements), command.plan)) is not None:
        raise Rejected("withdrawn-goal-must-not-be-planned", plan=plan)
    if command.resting:
        raise Rejected("withdrawn-goal-must-carry-no-others", goals=command.resting)
    if active.carried_to is not None:
        raise Rejected("withdrawn-goal-must-not-go-on", carried_to=active.carried_to)
