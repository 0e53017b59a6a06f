"""The timers of goals: what the calendar alone brings about."""

from zoneinfo import ZoneInfo

from services.goals.reactions import (
    ask_for_an_update_of_a_goal,
    expire_goal_when_its_last_day_ends,
    look_daily_for_goals_of_leavers,
    settle_a_goal_that_came_to_a_leaver,
)
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import Planned, Timers
from shared.privacy.vault import Vault
from shared.schemas.goals import TOPIC


def timers(zone: ZoneInfo, vault: Vault) -> Timers:
    """When goals expire and ask for an update, by the zone's calendar, and when those of leavers are looked for."""
    expiry = expire_goal_when_its_last_day_ends.expiry(zone)

    def plan(recorded: Recorded) -> Planned:
        leavers = [*look_daily_for_goals_of_leavers.plan(recorded), *settle_a_goal_that_came_to_a_leaver.plan(recorded)]
        return [*expiry(recorded), *ask_for_an_update_of_a_goal.plan(recorded), *leavers]

    fire = {
        expire_goal_when_its_last_day_ends.EXPIRY: expire_goal_when_its_last_day_ends.expire(zone),
        ask_for_an_update_of_a_goal.UPDATE: ask_for_an_update_of_a_goal.ask(zone),
        look_daily_for_goals_of_leavers.LOOK: look_daily_for_goals_of_leavers.look(vault),
        settle_a_goal_that_came_to_a_leaver.CAME_TO_A_LEAVER: settle_a_goal_that_came_to_a_leaver.settle(vault),
    }
    return Timers(topic=TOPIC, plan=plan, fire=fire)
