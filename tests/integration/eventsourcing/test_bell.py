"""The bell: whoever appends wakes the relay behind the commit, and nothing depends on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing import leadership
from shared.eventsourcing.administration import log_status
from shared.eventsourcing.bell import Bell, heard
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, relaying, until
from tests.integration.eventsourcing.tally import TALLY, Seal, context, count, handler, kernel_engine, tally_id
from tests.servers.databases import Database

SOON = 5.0
NEVER = 3_600.0


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = await kernel_engine(database)
    yield engine
    await engine.dispose()


async def test_a_ring_is_heard_in_another_process_of_the_service(engine: AsyncEngine, database: Database) -> None:
    listening, bell = create_engine(database.url), Bell(engine)
    async with heard(listening) as rung:
        bell.ring()
        async with asyncio.timeout(SOON):
            await rung.wait()
    await bell.close()
    await listening.dispose()


async def test_what_is_rung_while_the_bell_rests_is_rung_for_once_more(engine: AsyncEngine) -> None:
    rings, bell = 0, Bell(engine)
    async with heard(engine) as rung:

        async def count_rings() -> None:
            nonlocal rings
            while True:
                await rung.wait()
                rung.clear()
                rings += 1

        counting = asyncio.create_task(count_rings())
        for _ in range(1_000):
            bell.ring()
        await until(_is(lambda: rings == 1), what="the first ring")
        for _ in range(1_000):
            bell.ring()
        await until(_is(lambda: rings == 2), what="the second ring")
        await asyncio.sleep(0.2)
        counting.cancel()
    assert rings == 2, "two thousand appends, and two rings"
    await bell.close()


async def test_a_database_that_is_gone_keeps_no_bell_from_closing() -> None:
    nowhere = create_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    bell = Bell(nowhere)
    bell.ring()
    await asyncio.sleep(0.1)
    bell.ring()
    await bell.close()
    await nowhere.dispose()


async def test_every_way_to_append_tells_of_its_commit_and_a_refusal_of_none(engine: AsyncEngine) -> None:
    told = 0

    def committed() -> None:
        nonlocal told
        told += 1

    commands = handler(engine)
    commands.committed = committed

    async def seal(decision: Decision) -> None:
        await decision.decide(TALLY, tally_id(0), Seal(at=decision.context.at, by=decision.context.actor))

    await commands.handle(context(), TALLY, tally_id(0), count())
    assert told == 1
    await commands.handle_together(context(), seal)
    assert told == 2
    with pytest.raises(Rejected):
        await commands.handle(context(), TALLY, tally_id(0), count())
    assert told == 2


@pytest.mark.kafka
async def test_a_ring_wakes_the_relay_and_without_one_it_sleeps_on(
    engine: AsyncEngine, kafka: Broker, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second append rings nothing: the negative control."""
    topic, bell = await new_topic(partitions=12), Bell(engine)
    ringing, silent = handler(engine), handler(engine)
    ringing.committed = bell.ring
    for name in ("_POLL_SECONDS", "_QUIET_POLL_SECONDS"):
        monkeypatch.setattr(leadership, name, NEVER)
    async with relaying(engine, kafka_of(kafka), topic) as running:
        await until(_is(lambda: running.counts.leads), what="a lead")
        await asyncio.sleep(1)  # the relay has looked once, and sleeps
        await ringing.handle(context(), TALLY, tally_id(1), count())
        await until(lambda: _published(engine, 1), seconds=SOON, what="a ring that wakes the relay")
        await silent.handle(context(), TALLY, tally_id(1), count())
        await asyncio.sleep(1)
        assert not await _published(engine, 2), "it slept on: what woke it before was the ring"
        bell.ring()
        await until(lambda: _published(engine, 2), seconds=SOON, what="the next ring")
    await bell.close()


async def _published(engine: AsyncEngine, position: int) -> bool:
    return (await log_status(engine)).published >= position


def _is(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return condition()

    return asked
