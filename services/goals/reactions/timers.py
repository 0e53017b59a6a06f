"""The timers of goals: what the calendar alone brings about."""

from zoneinfo import ZoneInfo

from services.goals.reactions import ask_for_an_update_of_a_goal, expire_goal_when_its_last_day_ends
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import Planned, Timers
from shared.schemas.goals import TOPIC


def timers(zone: ZoneInfo) -> Timers:
    """When goals expire and when they ask for an update, by the calendar of the zone."""
    expiry = expire_goal_when_its_last_day_ends.expiry(zone)

    def plan(recorded: Recorded) -> Planned:
        return [*expiry(recorded), *ask_for_an_update_of_a_goal.plan(recorded)]

    fire = {
        expire_goal_when_its_last_day_ends.EXPIRY: expire_goal_when_its_last_day_ends.expire(zone),
        ask_for_an_update_of_a_goal.UPDATE: ask_for_an_update_of_a_goal.ask(zone),
    }
    return Timers(topic=TOPIC, plan=plan, fire=fire)
