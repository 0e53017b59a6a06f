"""Commands as a person would give them, each with what a test changes."""

from datetime import date
from decimal import Decimal
from typing import Any, Final

from services.goals.domain.goal_alignment import AlignGoal
from services.goals.domain.goal_closing import AchieveGoal, CancelGoal, ExpireGoal
from services.goals.domain.goal_dates import RescheduleGoal
from services.goals.domain.goal_progress import RecordProgress
from services.goals.domain.goal_setting import SetGoal
from services.goals.domain.goal_target import RetargetGoal
from services.goals.domain.goal_wording import DescribeGoal, RetitleGoal
from services.goals.domain.metric import MetricBody
from services.goals.domain.parent import ParentGoal
from services.goals.domain.policy import DEFAULT
from shared.schemas.goal_metrics import MetricKind
from shared.schemas.goals import GoalAligned, GoalLevel
from shared.schemas.identifiers import SYSTEM
from tests.unit.services.goals.examples import (
    A_GOAL,
    DECEMBER,
    JANUARY,
    JUNE,
    MANAGER,
    NOW,
    OTHER_PARENT,
    OWNER,
    PARENT,
)

BY_THE_OWNER: Final[dict[str, Any]] = {"at": NOW, "by": OWNER, "policy": DEFAULT}
BY_THE_MANAGER: Final[dict[str, Any]] = {**BY_THE_OWNER, "by": MANAGER}
parent = ParentGoal(goal=PARENT, active=True, starts_on=JANUARY, ends_on=DECEMBER, ancestors=(OTHER_PARENT,))
under_parent = GoalAligned(parent=PARENT, previous_parent=None)


def set_goal(**changes: Any) -> SetGoal:
    asked: dict[str, Any] = {
        "level": GoalLevel.TEAM,
        "owner": OWNER,
        "team": "Support",
        "title": "Halve the open tickets",
        "metric": MetricBody(kind=MetricKind.NUMBER, start=Decimal(200), target=Decimal(0), unit="tickets"),
        "starts_on": JANUARY,
        "ends_on": JUNE,
        "goal": A_GOAL,
        "employed": True,
        **BY_THE_MANAGER,
    }
    return SetGoal(**{**asked, **changes})


def align(**changes: Any) -> AlignGoal:
    asked: dict[str, Any] = {"goal": A_GOAL, "parent": PARENT, "parent_goal": parent, **BY_THE_MANAGER}
    return AlignGoal(**{**asked, **changes})


def record(value: str, **changes: Any) -> RecordProgress:
    asked: dict[str, Any] = {"value": Decimal(value), **BY_THE_OWNER}
    return RecordProgress(**{**asked, **changes})


def achieve(value: str | None = None, closed_on: date = JUNE) -> AchieveGoal:
    return AchieveGoal(value=None if value is None else Decimal(value), closed_on=closed_on, **BY_THE_OWNER)


def day_ends(day: date = JUNE, late_seconds: int = 0) -> ExpireGoal:
    return ExpireGoal(ended_on=day, zone="Europe/Berlin", due_at=NOW, late_seconds=late_seconds, at=NOW, by=SYSTEM)


cancel = CancelGoal(reason="priorities-changed", **BY_THE_OWNER)


def retitle(title: str, **changes: Any) -> RetitleGoal:
    return RetitleGoal(title=title, **BY_THE_MANAGER, **changes)


def reschedule(starts_on: date = JANUARY, ends_on: date = JUNE, **changes: Any) -> RescheduleGoal:
    return RescheduleGoal(goal=A_GOAL, starts_on=starts_on, ends_on=ends_on, **BY_THE_MANAGER, **changes)


def describe(description: str | None, **changes: Any) -> DescribeGoal:
    return DescribeGoal(description=description, **BY_THE_MANAGER, **changes)


def retarget(target: str, **changes: Any) -> RetargetGoal:
    asked: dict[str, Any] = {"kind": MetricKind.NUMBER, "start": Decimal(200), "unit": "tickets", **changes}
    amendment = asked.pop("amendment", None)
    return RetargetGoal(metric=MetricBody(target=Decimal(target), **asked), amendment=amendment, **BY_THE_MANAGER)
