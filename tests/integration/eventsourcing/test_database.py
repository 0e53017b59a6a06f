"""Connections that die, and which errors say nothing about the data."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.database import borrowed, create_engine, driver, is_transient
from shared.eventsourcing.decision import Decision
from tests.integration.eventsourcing.tally import TALLY, context, count, handler, kernel_engine, scalar, tally_id
from tests.servers.databases import Database

Breaking = Callable[[AsyncConnection], Awaitable[object]]


async def cut_connections(database: Database) -> None:
    """What a restart of the server does to every connection in every pool."""
    connection = await asyncpg.connect(database.server.administrator)
    statement = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1"
    await connection.execute(statement, database.name)
    await connection.close()
    await asyncio.sleep(0)


async def test_a_pool_of_cut_connections_serves_the_next_commands(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await asyncio.gather(*(commands.handle(context(key=f"a{n}"), TALLY, tally_id(n), count()) for n in range(5)))
    await cut_connections(database)
    for n in range(20):
        await commands.handle(context(key=f"b{n}"), TALLY, tally_id(n), count())
    assert await scalar(engine, "select count(*) from events") == 25
    await engine.dispose()


async def test_a_connection_cut_in_the_middle_of_a_transaction_leaves_nothing_and_is_replaced(
    database: Database,
) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    cuts = 0

    async def plan(decision: Decision) -> None:
        nonlocal cuts
        await decision.decide(TALLY, tally_id("a"), count())
        await decision.decide(TALLY, tally_id("b"), count())
        cuts += 1
        if cuts < 3:
            await cut_connections(database)

    for _ in range(2):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one, the next line says
            await commands.handle_together(context(), plan)
        assert is_transient(raised.value)
    assert await scalar(engine, "select count(*) from events") == 0
    await commands.handle_together(context(), plan)
    assert await scalar(engine, "select count(*) from events") == 2
    await engine.dispose()


@pytest.mark.parametrize("together", [False, True])
async def test_a_cancelled_command_is_stored_whole_or_not_at_all_and_leaves_clean_connections(
    database: Database, *, together: bool
) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)

    async def plan(decision: Decision) -> None:
        await decision.decide(TALLY, tally_id("a"), count(times=3))
        await decision.decide(TALLY, tally_id("b"), count(times=3))

    async def command() -> None:
        if together:
            await commands.handle_together(context(), plan)
        else:
            await commands.handle(context(), TALLY, tally_id("a"), count(times=3))

    await command()
    for n in range(60):
        task = asyncio.create_task(command())
        await asyncio.sleep(n * 0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await scalar(engine, "select count(*) from pg_stat_activity where state like 'idle in%'") == 0
    await command()
    assert await scalar(engine, "select count(*) from events") == await scalar(
        engine, "select sum(version)::bigint from streams"
    )
    assert await scalar(engine, "select count(*) from streams where version % 3 <> 0") == 0
    await engine.dispose()


async def _too_long(connection: AsyncConnection) -> None:
    await connection.execute(text("set transaction_timeout = '50ms'"))
    await connection.commit()
    await connection.execute(text("select pg_sleep(5)"))


async def _idle_too_long(connection: AsyncConnection) -> None:
    await connection.execute(text("set local idle_in_transaction_session_timeout = '50ms'"))
    await asyncio.sleep(0.2)
    await connection.execute(text("select 1"))


async def _idle_too_long_below(connection: AsyncConnection) -> None:
    await connection.execute(text("set local idle_in_transaction_session_timeout = '50ms'"))
    await asyncio.sleep(0.2)
    await (await driver(connection)).fetch("select 1")


async def _heard_of_its_end(connection: AsyncConnection) -> None:
    """The server has said that it shuts down, and the end of the connection has not come yet."""
    said = b"SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
    raw = await driver(connection)
    raw._protocol.data_received(b"E" + (len(said) + 4).to_bytes(4) + said)


async def _asked_after_its_end(connection: AsyncConnection) -> None:
    await _heard_of_its_end(connection)
    await connection.execute(text("select 1"))


async def _asked_below_after_its_end(connection: AsyncConnection) -> None:
    await _heard_of_its_end(connection)
    await (await driver(connection)).fetch("select 1")


async def _pool_exhausted(connection: AsyncConnection) -> None:
    async with connection.engine.connect(), connection.engine.connect():
        pass


def _statement(sql: str, **values: object) -> Breaking:
    async def run(connection: AsyncConnection) -> None:
        await connection.execute(text(sql), values)

    return run


@pytest.mark.parametrize(
    ("breaking", "transient"),
    [
        (_too_long, True),
        (_idle_too_long, True),
        (_idle_too_long_below, True),
        (_asked_after_its_end, True),
        (_asked_below_after_its_end, True),
        (_pool_exhausted, True),
        (_statement("do $$ begin raise sqlstate '53100'; end $$"), True),  # the disk is full
        (_statement("select * from not_migrated_yet"), True),
        (_statement("select cast(:n as int)", n=99_999_999_999), False),
        (_statement("select cast(:s as text)", s="\x00"), False),
        (_statement("select cast(:s as text)", s="\ud800"), False),
        (_statement("select 1 / 0"), False),
        (_statement("do $$ begin raise unique_violation; end $$"), False),
    ],
)
async def test_only_an_error_of_the_data_is_no_transient_one(
    database: Database, breaking: Breaking, *, transient: bool
) -> None:
    engine = create_engine(database.url, pool_size=1, pool_seconds=0.2)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one, the next line says
        async with engine.connect() as connection:
            await breaking(connection)
    assert is_transient(raised.value) is transient
    await engine.dispose()


async def test_a_database_that_takes_nobody_is_transient_also_to_who_borrows_a_connection(database: Database) -> None:
    engine = create_engine(f"{database.url}_gone")
    with pytest.raises(asyncpg.InvalidCatalogNameError) as raised:
        async with borrowed(engine):
            pass
    assert is_transient(raised.value)
    await engine.dispose()
