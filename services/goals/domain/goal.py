"""Goal: set at a level, aligned under a parent, measured, and closed by a person."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from services.goals.domain.goal_alignment import AlignGoal, align
from services.goals.domain.goal_closing import AchieveGoal, CancelGoal, ExpireGoal, achieve, cancel, expire
from services.goals.domain.goal_dates import RescheduleGoal, reschedule
from services.goals.domain.goal_lock import LockGoal, UnlockGoal, lock, unlock
from services.goals.domain.goal_measure import (
    ChooseMeasure,
    WeighChildren,
    WeighGoal,
    choose_measure,
    weigh,
    weigh_children,
)
from services.goals.domain.goal_progress import RecordProgress, record_progress
from services.goals.domain.goal_setting import SetGoal, set_goal
from services.goals.domain.goal_states import Goal, GoalEvent, NotSet, evolve
from services.goals.domain.goal_target import RetargetGoal, retarget
from services.goals.domain.goal_wording import RetitleGoal, retitle
from shared.eventsourcing.decider import Command, Decider

DECISIONS: Final[Mapping[type[Command], Callable[[Goal, Any], Sequence[GoalEvent]]]] = MappingProxyType(
    {
        SetGoal: set_goal,
        AlignGoal: align,
        RetitleGoal: retitle,
        RescheduleGoal: reschedule,
        RetargetGoal: retarget,
        LockGoal: lock,
        UnlockGoal: unlock,
        ChooseMeasure: choose_measure,
        WeighChildren: weigh_children,
        WeighGoal: weigh,
        RecordProgress: record_progress,
        AchieveGoal: achieve,
        CancelGoal: cancel,
        ExpireGoal: expire,
    }
)
"""What may be asked of a goal, and which function decides it."""


def decide(goal: Goal, command: Command) -> Sequence[GoalEvent]:
    return DECISIONS[type(command)](goal, command)


GOAL: Final[Decider[Goal]] = Decider(category="goal", initial=NotSet(), decide=decide, evolve=evolve)
