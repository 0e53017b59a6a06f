"""Open goals of somebody who has left go to the nearest manager, if the company's policy says so."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_lock import UnlockGoal
from services.goals.domain.goal_people import GOALS_OF_LEAVERS, HandOverGoal, OfLeavers
from services.goals.domain.goal_states import Active
from services.goals.domain.goal_wording import TextsNow
from services.goals.domain.policy import Policy
from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from services.goals.projections.goal_rows import GOALS, GoalState
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.eventsourcing.identifiers import derived
from shared.people.feed import PEOPLE_FEED
from shared.people.reporting_line import managers
from shared.people.table import PEOPLE
from shared.runtime.service import Runtime
from shared.schemas.identifiers import SYSTEM, GoalId, PersonId
from shared.schemas.people import EmploymentStatus

_REASON: Final = "owner-left"

log = structlog.get_logger(__name__)


def people_feed(runtime: Runtime) -> Feed:
    """The people feed, and what follows from it for goals; read again from the beginning, nothing happens twice."""

    async def apply(engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        await PEOPLE_FEED.apply(engine, records)
        policy = in_force(await runtime.handler.recent.state(ADOPTION, THE_COMPANYS))
        if policy[GOALS_OF_LEAVERS] is OfLeavers.TO_THE_MANAGER:
            async with engine.connect() as connection:
                left = await _open_goals_of_leavers(connection, records)
            for goal, owner in left:
                await _hand_over(runtime, policy, goal, owner)

    return Feed(name=PEOPLE_FEED.name, topic=PEOPLE_FEED.topic, apply=apply)


async def _open_goals_of_leavers(
    connection: AsyncConnection, records: Iterable[FeedRecord]
) -> list[tuple[GoalId, PersonId]]:
    told_of = {UUID((record.key or b"").decode()) for record in records if record.value is not None}
    query = (
        select(GOALS.c.goal, GOALS.c.owner)
        .join(PEOPLE, PEOPLE.c.person == GOALS.c.owner)
        .where(GOALS.c.owner.in_(told_of), GOALS.c.state == GoalState.ACTIVE)
        .where(PEOPLE.c.status == EmploymentStatus.LEFT.value)
        .order_by(GOALS.c.goal)
    )
    return [(GoalId(row.goal), PersonId(row.owner)) for row in await connection.execute(query)]


async def _hand_over(runtime: Runtime, policy: Policy, goal: GoalId, owner: PersonId) -> None:
    """Who has no manager any more keeps their goals; so does who was erased, since nobody knows what they said."""

    async def plan(decision: Decision) -> None:
        state, above = (await decision.hold(GOAL, goal)).state, await managers(decision.connection, owner)
        if not isinstance(state, Active) or state.owner != owner or not above:
            return
        at = decision.context.at
        for agreement in state.agreements:
            await decision.decide(GOAL, goal, UnlockGoal(agreement=agreement, at=at, by=SYSTEM))
        title, description = await runtime.vault.clear(state.title), await runtime.vault.clear(state.description)
        texts = TextsNow(title=title, description=description)
        command = HandOverGoal(
            owner=above[0], reason=_REASON, texts=texts, employed=True, policy=policy, at=at, by=SYSTEM
        )
        await decision.decide(GOAL, goal, command)

    context = Context(
        actor=SYSTEM,
        at=runtime.clock(),
        command_id=derived("goal-of-leaver", goal, owner),
        correlation_id=derived("leaver", owner),
        policy_version=policy.version,
    )
    try:
        await runtime.handler.handle_together(context, plan)
    except Rejected as rejected:
        log.info("goals.leaver_keeps_goal", goal=str(goal), owner=str(owner), rule=rejected.rule)
