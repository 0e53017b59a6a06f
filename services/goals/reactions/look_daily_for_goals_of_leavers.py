"""Goals of leavers that the people feed did not meet are looked for when a policy is adopted, and then every day.

They had not reached the tree yet, or were there before the company had a policy.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from services.goals.domain.policy_adoption import ADOPTION, in_force
from services.goals.projections.goal_rows import GOALS
from services.goals.reactions.settle_goals_of_leavers import Settling, open_goals_of_leavers
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.timers import DueTimer, Fire, Planned, SetTimer, postpone
from shared.privacy.vault import Vault
from shared.schemas.goal_policies import GoalPolicyAdopted
from shared.schemas.identifiers import GoalId, PersonId

LOOK: Final = "goals-of-leavers"
AT_ONCE: Final = 100
"""Goals of one transaction, which holds the goal graph's lock."""
_NEXT_ACT: Final = timedelta(seconds=1)
_NEXT_DAY: Final = timedelta(days=1)


def plan(recorded: Recorded) -> Planned:
    """One look for the whole company, in the stream of its policy."""
    match recorded.event:
        case GoalPolicyAdopted():
            return [SetTimer(LOOK, recorded.envelope.time)]
        case _:
            return []


def look(vault: Vault) -> Fire:
    """What is decided when a look is due: for some of the goals, until none is left for that day."""

    async def fire(decision: Decision, timer: DueTimer) -> None:
        settling = Settling(in_force((await decision.load(ADOPTION, timer.stream_id)).state), vault)
        decision.context = replace(decision.context, policy_version=settling.policy.version)
        more = settling.is_due and await _settled(decision, settling)
        await postpone(decision.connection, timer, decision.context.at + (_NEXT_ACT if more else _NEXT_DAY))

    return fire


async def _settled(decision: Decision, settling: Settling) -> bool:
    """Whether there may be more. Goals that stay with who has left are passed by, and keep nobody else's waiting."""
    page = await _after(decision, None)
    while page and decision.decided < AT_ONCE:
        for goal, owner in page:
            await settling.settle(decision, goal, owner)
        page = await _after(decision, page[-1][0])
    return bool(page)


async def _after(decision: Decision, goal: GoalId | None) -> Sequence[tuple[GoalId, PersonId]]:
    query = open_goals_of_leavers().limit(AT_ONCE)
    if goal is not None:
        query = query.where(GOALS.c.goal > goal)
    return [(GoalId(row.goal), PersonId(row.owner)) for row in await decision.connection.execute(query)]
