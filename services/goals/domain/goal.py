"""Goal: set at a level, aligned under a parent, measured, and closed by a person."""

from collections.abc import Sequence
from typing import Final

from services.goals.domain.goal_alignment import AlignGoal, align
from services.goals.domain.goal_closing import AchieveGoal, CancelGoal, ExpireGoal, achieve, cancel, expire
from services.goals.domain.goal_progress import RecordProgress, record_progress
from services.goals.domain.goal_setting import SetGoal, set_goal
from services.goals.domain.goal_states import Goal, GoalEvent, NotSet, evolve
from shared.eventsourcing.decider import Decider

GoalCommand = SetGoal | AlignGoal | RecordProgress | AchieveGoal | CancelGoal | ExpireGoal


def decide(goal: Goal, command: GoalCommand) -> Sequence[GoalEvent]:
    match command:
        case SetGoal():
            return set_goal(goal, command)
        case AlignGoal():
            return align(goal, command)
        case RecordProgress():
            return record_progress(goal, command)
        case AchieveGoal():
            return achieve(goal, command)
        case CancelGoal():
            return cancel(goal, command)
        case ExpireGoal():
            return expire(goal, command)


GOAL: Final[Decider[Goal]] = Decider(category="goal", initial=NotSet(), decide=decide, evolve=evolve)
