"""Facts of other streams that must still hold when a decision commits."""

import asyncio

from shared.eventsourcing.decision import Decision
from tests.integration.eventsourcing.tally import TALLY, context, count, handler, kernel_engine, tally_id
from tests.servers.databases import Database


async def test_a_stream_that_must_still_not_exist_at_commit_is_held_too(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    held, go_on = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def only_without_the_other(decision: Decision) -> None:
        seen.append((await decision.hold(TALLY, tally_id("other"))).version)
        await decision.decide(TALLY, tally_id("a"), count())
        await commands.store.hold(decision.connection, decision.held)
        held.set()
        await go_on.wait()

    deciding = asyncio.create_task(commands.handle_together(context(), only_without_the_other))
    await held.wait()
    creating = asyncio.create_task(commands.handle(context(), TALLY, tally_id("other"), count()))
    done, _ = await asyncio.wait([creating], timeout=0.3)
    assert not done
    go_on.set()
    outcome, created = (await deciding)[0], await creating
    assert (seen, outcome.version, created.version) == ([0], 1, 1)
    assert outcome.position < created.position
    await engine.dispose()


async def test_what_was_read_of_a_held_stream_is_read_afresh_if_it_moves_before_the_decision_on_it(
    database: Database,
) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    seen: list[int] = []

    async def first_look_then_count(decision: Decision) -> None:
        seen.append((await decision.hold(TALLY, tally_id("a"))).version)
        if len(seen) == 1:
            await commands.handle(context(), TALLY, tally_id("a"), count())
        await decision.decide(TALLY, tally_id("a"), count())

    outcome = (await commands.handle_together(context(), first_look_then_count))[0]
    assert (seen, outcome.version) == ([0, 1], 2)
    await engine.dispose()
