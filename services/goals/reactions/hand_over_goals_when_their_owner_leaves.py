"""When the people feed tells that somebody has left, their open goals are settled as the policy says."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.goals.domain.policy_adoption import ADOPTION, THE_COMPANYS, in_force
from services.goals.projections import goal_graph
from services.goals.projections.goal_rows import GOALS
from services.goals.reactions.settle_goals_of_leavers import Settling, open_goals_of_leavers
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.feed import Feed, FeedRecord
from shared.eventsourcing.identifiers import derived
from shared.people.feed import PEOPLE_FEED
from shared.runtime.service import Runtime
from shared.schemas.identifiers import SYSTEM, GoalId, PersonId


def people_feed(runtime: Runtime) -> Feed:
    """The people feed, and what follows from it for goals; read again from the beginning, nothing happens twice."""

    async def apply(engine: AsyncEngine, records: Sequence[FeedRecord]) -> None:
        await PEOPLE_FEED.apply(engine, records)
        settling = Settling(in_force(await runtime.handler.recent.state(ADOPTION, THE_COMPANYS)), runtime.vault)
        if settling.is_due:
            async with engine.connect() as connection:
                left = await _open_goals(connection, records)
            for goal, owner in left:
                await _settle(runtime, settling, goal, owner)

    return Feed(name=PEOPLE_FEED.name, topic=PEOPLE_FEED.topic, apply=apply)


async def _open_goals(connection: AsyncConnection, records: Iterable[FeedRecord]) -> list[tuple[GoalId, PersonId]]:
    told_of = {UUID((record.key or b"").decode()) for record in records if record.value is not None}
    rows = await connection.execute(open_goals_of_leavers().where(GOALS.c.owner.in_(told_of)))
    return [(GoalId(row.goal), PersonId(row.owner)) for row in rows]


async def _settle(runtime: Runtime, settling: Settling, goal: GoalId, owner: PersonId) -> None:
    async def plan(decision: Decision) -> None:
        await settling.settle(decision, goal, owner)

    context = Context(
        actor=SYSTEM,
        at=runtime.clock(),
        command_id=derived("goal-of-leaver", goal, owner),
        correlation_id=derived("leaver", owner),
        policy_version=settling.policy.version,
    )
    async with goal_graph.turn(runtime.engine):
        await runtime.handler.handle_together(context, plan)
