"""What becomes of an open goal whose owner has left, by the company's policy; done again, nothing happens twice."""

from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_closing import CHILDREN_OF_LEAVERS_GOALS, CancelGoalBody
from services.goals.domain.goal_lock import UnlockGoal
from services.goals.domain.goal_people import GOALS_OF_LEAVERS, HandOverGoal, OfLeavers
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.goal_states import Active, Closed
from services.goals.domain.goal_wording import TextsNow
from services.goals.domain.parent import ParentGoal
from services.goals.domain.plan_losses import LoseGoal
from services.goals.domain.policy import Policy
from services.goals.projections import goal_graph
from services.goals.projections.goal_cancelling import Cancelling
from services.goals.projections.goal_rows import GOALS, GoalState
from services.goals.projections.goals_above import above_others
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.people.reporting_line import managers
from shared.people.table import PEOPLE
from shared.privacy.vault import Vault
from shared.schemas.identifiers import SYSTEM, GoalId, PersonId
from shared.schemas.people import EmploymentStatus

_REASON: Final = "owner-left"

log = structlog.get_logger(__name__)


def open_goals_of_leavers() -> Select[*tuple[Any, ...]]:
    """The open goals whose owner has left, and the owner of each, in key order."""
    return (
        select(GOALS.c.goal, GOALS.c.owner)
        .join(PEOPLE, PEOPLE.c.person == GOALS.c.owner)
        .where(GOALS.c.state == GoalState.ACTIVE, PEOPLE.c.status == EmploymentStatus.LEFT.value)
        .order_by(GOALS.c.goal)
    )


async def has_left(connection: AsyncConnection, person: PersonId) -> bool:
    status = await connection.scalar(select(PEOPLE.c.status).where(PEOPLE.c.person == person))
    return status == EmploymentStatus.LEFT.value


@dataclass(frozen=True, slots=True)
class Settling:
    """The policy by which it is decided, and what opens the texts that a next owner is given."""

    policy: Policy
    vault: Vault

    @property
    def is_due(self) -> bool:
        """Whether the company wants anything to be done."""
        return self.policy[GOALS_OF_LEAVERS] is not OfLeavers.STAY

    async def settle(self, decision: Decision, goal: GoalId, owner: PersonId) -> None:
        """Hand the goal over or cancel it, and let the plans that weigh it say so; a refusal leaves it as it is.

        Who has no manager any more keeps their goals; so does who was erased, since nobody knows what they said.
        """
        await goal_graph.lock(decision.connection)
        mark, state = decision.mark(), (await decision.in_turn(GOAL, goal)).state
        if not isinstance(state, Active) or state.owner != owner:
            return
        try:
            if self.policy[GOALS_OF_LEAVERS] is OfLeavers.CANCELLED:
                await self._cancel(decision, goal, state)
            else:
                await self._hand_over(decision, goal, state)
        except Rejected as rejected:
            decision.back_to(mark)
            log.info("goals.leaver_keeps_goal", goal=str(goal), owner=str(owner), rule=rejected.rule)

    async def _cancel(self, decision: Decision, goal: GoalId, state: Active) -> None:
        await self._let_go(decision, goal, state)
        body = CancelGoalBody(reason=_REASON, children=self.policy[CHILDREN_OF_LEAVERS_GOALS])
        cancelling = Cancelling(given=self._given(decision), may_cancel=_anybody_may, above=_seen)
        await cancelling.cancel(decision, goal, body)

    async def _hand_over(self, decision: Decision, goal: GoalId, state: Active) -> None:
        above = await managers(decision.connection, state.owner)
        if not above:
            return
        await self._let_go(decision, goal, state)
        title, description = await self.vault.clear(state.title), await self.vault.clear(state.description)
        texts = TextsNow(title=title, description=description)
        command = HandOverGoal(owner=above[0], reason=_REASON, texts=texts, employed=True, **self._given(decision))
        await decision.decide(GOAL, goal, command)

    async def _let_go(self, decision: Decision, goal: GoalId, state: Active) -> None:
        said: dict[str, Any] = {"at": decision.context.at, "by": SYSTEM}
        for agreement in state.agreements:
            await decision.decide(GOAL, goal, UnlockGoal(agreement=agreement, **said))
            await decision.decide(GOAL_PLAN, agreement, LoseGoal(goal=goal, reason=_REASON, **said))

    def _given(self, decision: Decision) -> dict[str, Any]:
        return {"at": decision.context.at, "by": SYSTEM, "policy": self.policy}


async def _anybody_may(_decision: Decision, _state: Active | Closed) -> None:
    """The company's policy says that it is done."""


async def _seen(decision: Decision, parent: GoalId | None) -> ParentGoal | None:
    return None if parent is None else await above_others(decision, parent)
