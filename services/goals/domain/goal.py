"""Goal: set at a level, aligned under a parent, measured, and closed by a person."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from services.goals.domain.goal_alignment import AlignGoal, align
from services.goals.domain.goal_carry_over import CarryOverGoal, carry_over
from services.goals.domain.goal_closing import (
    AchieveGoal,
    CancelGoal,
    ExpireGoal,
    MissGoal,
    ReopenGoal,
    achieve,
    cancel,
    expire,
    miss,
    reopen,
)
from services.goals.domain.goal_contributions import Contribute, contribute
from services.goals.domain.goal_dates import RescheduleGoal, reschedule
from services.goals.domain.goal_evolution import evolve
from services.goals.domain.goal_health import AskForUpdate, SetHealth, ask_for_update, set_health
from services.goals.domain.goal_kpi import BindGoalToKpi, FollowKpi, UnbindGoalFromKpi, bind, follow, unbind
from services.goals.domain.goal_lock import LockGoal, UnlockGoal, lock, unlock
from services.goals.domain.goal_measure import (
    ChooseMeasure,
    WeighChildren,
    WeighGoal,
    choose_measure,
    weigh,
    weigh_children,
)
from services.goals.domain.goal_people import HandOverGoal, NameContributors, hand_over, name_contributors
from services.goals.domain.goal_progress import RecordProgress, record_progress
from services.goals.domain.goal_setting import SetGoal, set_goal
from services.goals.domain.goal_states import Goal, GoalEvent, NotSet
from services.goals.domain.goal_target import RetargetGoal, retarget
from services.goals.domain.goal_withdrawal import WithdrawGoal, withdraw
from services.goals.domain.goal_wording import (
    ChooseVisibility,
    ClassifyGoal,
    DescribeGoal,
    RetitleGoal,
    choose_visibility,
    classify,
    describe,
    retitle,
)
from services.goals.domain.objective import GradeObjective, grade
from shared.eventsourcing.decider import Command, Decider

DECISIONS: Final[Mapping[type[Command], Callable[[Goal, Any], Sequence[GoalEvent]]]] = MappingProxyType(
    {
        SetGoal: set_goal,
        AlignGoal: align,
        Contribute: contribute,
        RescheduleGoal: reschedule,
        RetargetGoal: retarget,
        RetitleGoal: retitle,
        DescribeGoal: describe,
        ClassifyGoal: classify,
        ChooseVisibility: choose_visibility,
        NameContributors: name_contributors,
        HandOverGoal: hand_over,
        LockGoal: lock,
        UnlockGoal: unlock,
        ChooseMeasure: choose_measure,
        WeighChildren: weigh_children,
        WeighGoal: weigh,
        SetHealth: set_health,
        AskForUpdate: ask_for_update,
        RecordProgress: record_progress,
        AchieveGoal: achieve,
        GradeObjective: grade,
        MissGoal: miss,
        CancelGoal: cancel,
        ReopenGoal: reopen,
        CarryOverGoal: carry_over,
        ExpireGoal: expire,
        BindGoalToKpi: bind,
        UnbindGoalFromKpi: unbind,
        FollowKpi: follow,
        WithdrawGoal: withdraw,
    }
)
"""What may be asked of a goal, and which function decides it."""


def decide(goal: Goal, command: Command) -> Sequence[GoalEvent]:
    return DECISIONS[type(command)](goal, command)


GOAL: Final[Decider[Goal]] = Decider(category="goal", initial=NotSet(), decide=decide, evolve=evolve)
