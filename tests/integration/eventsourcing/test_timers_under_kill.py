"""Two processes fire the same timers, one of them is killed: each fires once; without a guard some fire twice."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from shared.eventsourcing.identifiers import derived
from tests.integration.eventsourcing.alarms import MINUTE, Alarms, in_order
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import NOW
from tests.servers.databases import Database

TIMES = 1_000
FIRED = "select count(*) from events where type = 'trellis.alarm.AlarmRang.v1'"


@pytest.fixture
async def alarms(database: Database) -> AsyncIterator[Alarms]:
    alarms = await Alarms.on(database)
    yield alarms
    await alarms.engine.dispose()


@asynccontextmanager
async def firing(database: Database, guards: str = "all") -> AsyncGenerator[Process]:
    """A process that fires what is due, until the block ends or it is killed."""
    module = "tests.integration.eventsourcing.alarms"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, database.url, guards)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def many(alarms: Alarms, number: int = TIMES) -> None:
    await alarms.set_many(number)
    await alarms.deliver()


async def fired(alarms: Alarms, at_least: int) -> None:
    async def enough() -> bool:
        return await alarms.scalar(FIRED) >= at_least

    await until(enough, seconds=120, what=f"{at_least} timers fired")


async def none_left(alarms: Alarms) -> None:
    async def none() -> bool:
        return await alarms.scalar("select count(*) from timers") == 0

    await until(none, seconds=120, what="no timer is left")


async def test_a_thousand_timers_fire_a_thousand_times_although_a_worker_is_killed(
    alarms: Alarms, database: Database
) -> None:
    await many(alarms)
    async with firing(database) as one, firing(database):
        await fired(alarms, TIMES // 4)
        os.kill(one.pid, signal.SIGKILL)
        await none_left(alarms)
    rang = await alarms.rang()
    assert Counter(stream for stream, _ in rang) == {f"alarm-{derived('alarm', n)}": 1 for n in range(TIMES)}


async def test_one_timer_that_is_due_a_thousand_times_fires_a_thousand_times_although_a_worker_is_killed(
    alarms: Alarms, database: Database
) -> None:
    """Each ring sets the next. The two workers take turns; the events are delivered to the planner here."""
    await alarms.set("recurring", NOW - TIMES * MINUTE, times=TIMES)
    async with firing(database) as one, firing(database):
        while (so_far := await alarms.scalar(FIRED)) < TIMES:
            await alarms.deliver()
            if one.returncode is None and so_far > TIMES // 3:
                os.kill(one.pid, signal.SIGKILL)
                await one.wait()
        await alarms.deliver()
        await none_left(alarms)
    rang = await alarms.rang()
    assert (len(rang), await alarms.doubled(), in_order(rang)) == (TIMES, 0, True)
    assert [event.left for _, event in rang] == list(range(TIMES - 1, -1, -1))


@pytest.mark.parametrize("guards", ["without the lock", "without lock and key"])
async def test_without_the_row_lock_the_key_is_all_that_keeps_a_timer_from_firing_twice(
    alarms: Alarms, database: Database, guards: str
) -> None:
    """Negative control."""
    await many(alarms, 300)
    async with firing(database, guards), firing(database, guards):
        await none_left(alarms)
    doubled = await alarms.doubled()
    print(f"{guards}: {doubled} of 300 timers fired twice")
    assert (doubled > 0) == (guards == "without lock and key")


async def test_in_two_transactions_what_was_fired_when_the_worker_was_killed_fires_again(
    alarms: Alarms, database: Database
) -> None:
    """Negative control."""
    await many(alarms, 150)
    async with firing(database, "in two transactions") as one:
        await one.wait()
    async with firing(database):
        await none_left(alarms)
    print(f"in two transactions: {await alarms.doubled()} of 150 timers fired twice, for one SIGKILL")
    assert await alarms.doubled() == 1
