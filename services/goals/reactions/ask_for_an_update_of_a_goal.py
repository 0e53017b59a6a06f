"""A goal that nobody measured for as long as the policy says asks for an update, once for each such span."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_health import UPDATE_AFTER, AskForUpdate, is_kept_up_to_date, update_due_at
from services.goals.domain.goal_states import NotSet
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import CancelTimer, DueTimer, Fire, Planned, SetTimer, postpone, start_of_day
from shared.schemas.goal_changes import GoalRescheduled
from shared.schemas.goal_health import UpdateDue
from shared.schemas.goal_metrics import GoalMeasureChosen
from shared.schemas.goals import (
    GoalAchieved,
    GoalCancelled,
    GoalExpired,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.identifiers import SYSTEM

UPDATE: Final = "goal-update"
_EACH_LOOK: Final = timedelta(days=1)
"""A goal is looked at daily, by the policy of that day: planning knows none, and a new one holds from the next look."""
_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


def plan(recorded: Recorded) -> Planned:
    """A look at the goal a day after anything that makes it due anew; none once it is closed or expired."""
    match recorded.event:
        case GoalSet() | GoalReopened() | GoalRescheduled() | GoalMeasureChosen():
            return [SetTimer(UPDATE, _after(recorded.envelope.time))]
        case GoalProgressRecorded() | UpdateDue():
            return [SetTimer(UPDATE, _after(recorded.envelope.time))]
        case GoalAchieved() | GoalMissed() | GoalCancelled() | GoalExpired():
            return [CancelTimer(UPDATE)]
        case _:
            return []


def _after(moment: datetime) -> datetime:
    """The last moment of the calendar, where a day later is none any more."""
    return min(moment, _LAST_MOMENT - _EACH_LOOK) + _EACH_LOOK


def ask(zone: ZoneInfo) -> Fire:
    """What is decided when a look is due, by the calendar of the zone."""

    async def fire(decision: Decision, timer: DueTimer) -> None:
        policy = in_force((await decision.load(ADOPTION, THE_COMPANYS)).state)
        goal = (await decision.load(GOAL, timer.stream_id)).state
        began_at = _LONG_AGO if isinstance(goal, NotSet) else start_of_day(goal.starts_on, zone) or _LONG_AGO
        due_at = update_due_at(goal, began_at, policy[UPDATE_AFTER]) or _LAST_MOMENT
        if due_at > decision.context.at and is_kept_up_to_date(goal):
            await postpone(decision.connection, timer, min(due_at, _after(decision.context.at)))
            return
        decision.context = replace(decision.context, policy_version=policy.version)
        command = AskForUpdate(
            began_at=began_at, late_seconds=timer.late_seconds, at=decision.context.at, by=SYSTEM, policy=policy
        )
        await decision.decide(GOAL, timer.stream_id, command)

    return fire
