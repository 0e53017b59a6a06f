"""A goal whose last day ends in the company's zone expires, unless it was closed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import ExpireGoal
from services.goals.domain.goal_states import Active
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import CancelTimer, DueTimer, Fire, Planned, SetTimer, end_of_day, postpone
from shared.schemas.goal_changes import GoalRescheduled
from shared.schemas.goals import GoalAchieved, GoalCancelled, GoalExpired, GoalMissed, GoalReopened, GoalSet
from shared.schemas.identifiers import SYSTEM

EXPIRY: Final = "goal-expiry"
_A_MOMENT: Final = timedelta(microseconds=1)


def expiry(zone: ZoneInfo) -> Callable[[Recorded], Planned]:
    """When goals expire, by the calendar of the zone."""

    def plan(recorded: Recorded) -> Planned:
        match recorded.event:
            case GoalSet(ends_on=ends_on) | GoalRescheduled(ends_on=ends_on) if (
                due_at := end_of_day(ends_on, zone)
            ) is not None:
                return [SetTimer(EXPIRY, due_at)]
            case GoalReopened():
                return [SetTimer(EXPIRY, recorded.envelope.time)]
            case GoalAchieved() | GoalMissed() | GoalCancelled() | GoalExpired():
                return [CancelTimer(EXPIRY)]
            case _:
                return []

    return plan


def expire(zone: ZoneInfo) -> Fire:
    """What is decided when a goal's last day has ended in the zone."""

    async def fire(decision: Decision, timer: DueTimer) -> None:
        goal = (await decision.load(GOAL, timer.stream_id)).state
        ends_at = end_of_day(goal.ends_on, zone) if isinstance(goal, Active) else None
        if ends_at is not None and ends_at > decision.context.at:  # reopened: its dates are not in that event
            await postpone(decision.connection, timer, ends_at)
            return
        command = ExpireGoal(
            ended_on=(timer.due_at - _A_MOMENT).astimezone(zone).date(),
            zone=zone.key,
            due_at=timer.due_at,
            late_seconds=timer.late_seconds,
            at=decision.context.at,
            by=SYSTEM,
        )
        await decision.decide(GOAL, timer.stream_id, command)

    return fire
