"""A goal whose last day ends in the company's zone expires, unless it was closed."""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import ExpireGoal
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import CancelTimer, DueTimer, Planned, SetTimer, Timers, end_of_day
from shared.schemas.goal_changes import GoalRescheduled
from shared.schemas.goals import TOPIC, GoalAchieved, GoalCancelled, GoalExpired, GoalSet
from shared.schemas.identifiers import SYSTEM

_EXPIRY: Final = "goal-expiry"
_A_MOMENT: Final = timedelta(microseconds=1)


def timers(zone: ZoneInfo) -> Timers:
    """When goals expire, by the calendar of the zone."""

    def plan(recorded: Recorded) -> Planned:
        match recorded.event:
            case GoalSet(ends_on=ends_on) | GoalRescheduled(ends_on=ends_on) if (
                due_at := end_of_day(ends_on, zone)
            ) is not None:
                return [SetTimer(_EXPIRY, due_at)]
            case GoalAchieved() | GoalCancelled() | GoalExpired():
                return [CancelTimer(_EXPIRY)]
            case _:
                return []

    async def expire(decision: Decision, timer: DueTimer) -> None:
        command = ExpireGoal(
            ended_on=(timer.due_at - _A_MOMENT).astimezone(zone).date(),
            zone=zone.key,
            due_at=timer.due_at,
            late_seconds=timer.late_seconds,
            at=decision.context.at,
            by=SYSTEM,
        )
        await decision.decide(GOAL, timer.stream_id, command)

    return Timers(topic=TOPIC, plan=plan, fire={_EXPIRY: expire})
