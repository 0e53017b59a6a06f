"""What a decision learns while it is made, its events carry: under which policy, for one."""

from dataclasses import replace

from sqlalchemy import text

from shared.eventsourcing.decision import Decision
from tests.integration.eventsourcing.tally import TALLY, context, count, handler, kernel_engine, tally_id
from tests.servers.databases import Database


async def test_a_policy_that_is_found_in_the_decision_is_named_by_what_follows(database: Database) -> None:
    engine = await kernel_engine(database)

    async def under_a_policy(decision: Decision) -> None:
        await decision.decide(TALLY, tally_id("a"), count())
        decision.context = replace(decision.context, policy_version="enterprise-2")
        await decision.decide(TALLY, tally_id("b"), count())

    await handler(engine).handle_together(context(), under_a_policy)
    query = text("select metadata::jsonb->>'policy_version' from events order by stream")
    async with engine.connect() as connection:
        named = sorted(await connection.scalars(query), key=str)
    assert named == [None, "enterprise-2"]
    await engine.dispose()
