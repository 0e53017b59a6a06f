"""When a goal is reopened or handed over and its owner has left, it is settled at once, as the policy says."""

from dataclasses import replace
from typing import Final

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from services.goals.reactions.settle_goals_of_leavers import Settling, has_left
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import CancelTimer, DueTimer, Fire, Planned, SetTimer
from shared.privacy.vault import Vault
from shared.schemas.goal_ties import GoalHandedOver
from shared.schemas.goals import GoalAchieved, GoalCancelled, GoalMissed, GoalReopened
from shared.schemas.identifiers import GoalId

CAME_TO_A_LEAVER: Final = "goal-of-leaver"


def plan(recorded: Recorded) -> Planned:
    """A timer that is due when it is set: it may read who has left, and what opens a goal's texts."""
    match recorded.event:
        case GoalReopened() | GoalHandedOver():
            return [SetTimer(CAME_TO_A_LEAVER, recorded.envelope.time)]
        case GoalAchieved() | GoalMissed() | GoalCancelled():
            return [CancelTimer(CAME_TO_A_LEAVER)]
        case _:
            return []


def settle(vault: Vault) -> Fire:
    """What is decided then: nothing, of a goal whose owner is still there."""

    async def fire(decision: Decision, timer: DueTimer) -> None:
        goal = GoalId(timer.stream_id)
        settling = Settling(in_force((await decision.load(ADOPTION, THE_COMPANYS)).state), vault)
        state = (await decision.load(GOAL, goal)).state
        if not settling.is_due or not isinstance(state, Active):
            return
        if await has_left(decision.connection, state.owner):
            decision.context = replace(decision.context, policy_version=settling.policy.version)
            await settling.settle(decision, goal, state.owner)

    return fire
