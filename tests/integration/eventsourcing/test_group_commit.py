"""Group commit: concurrent commands share a statement and nothing else."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.eventsourcing.append import Append, Key
from shared.eventsourcing.database import create_engine, driver, is_transient
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.errors import Conflict, SubjectErased
from shared.eventsourcing.group_commit import GroupCommit
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.store import EventStore, Head, StoredEvent
from shared.schemas.event import Event
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import (
    TALLY,
    TYPES,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
)
from tests.integration.eventsourcing.test_store import SEAL, new_event
from tests.servers.databases import Database

WITH_NUL = replace(new_event(), data='{"step":"\x00"}')
"""PostgreSQL refuses it, and with it the statement that it is in."""


def append(stream: str, *, expected: int = 0, key: str | None = None, poison: bool = False) -> Append:
    kept = Key(caller="somebody", route="POST /tallies", key=key, request_hash=b"same") if key else None
    return Append(stream=f"tally-{stream}", expected=expected, events=[WITH_NUL if poison else new_event()], key=kept)


async def together(store: EventStore, appends: Sequence[Append]) -> list[Head | BaseException | None]:
    """All of them at once, so that the first is alone and the others share the next statement."""
    group = GroupCommit(store, at_once=1)
    return await asyncio.gather(*(group.append(a) for a in appends), return_exceptions=True)


def statements(commands: CommandHandler) -> int:
    """How many append statements it took so far."""
    return sum(commands.store.counts.events.counts)


async def waiting_for_a_lock(engine: AsyncEngine) -> int:
    """Returns once a statement waits for a lock: the process of its session."""

    async def found() -> bool:
        return await scalar(engine, "select count(*) from pg_locks where not granted") > 0

    await until(found, what="a statement that waits")
    return await scalar(engine, "select max(pid) from pg_locks where not granted")


async def waiting_statements(engine: AsyncEngine, number: int) -> bool:
    return await scalar(engine, "select count(*) from pg_locks where not granted") >= number


async def whole(engine: AsyncEngine) -> bool:
    """Every stream's versions are those up to its head, and its positions rise with them."""
    torn = """select count(*) from streams s full join
                (select stream, max(version) as last, count(*) as n from events group by 1) e using (stream)
               where s.version is distinct from e.last or e.last is distinct from e.n"""
    inverted = """select count(*) from (select position < lag(position) over (partition by stream order by version) as i
                  from events) x where i"""
    return (await scalar(engine, torn), await scalar(engine, inverted)) == (0, 0)


async def test_concurrent_commands_share_statements(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    outcomes = await asyncio.gather(*(commands.handle(context(), TALLY, tally_id(n), count(n)) for n in range(64)))
    assert [o.state.total for o in outcomes] == list(range(64))
    assert len({o.position for o in outcomes}) == await scalar(engine, "select count(*) from events") == 64
    assert statements(commands) < 32
    await engine.dispose()


async def test_a_conflict_leaves_its_neighbours_alone(database: Database) -> None:
    engine = await kernel_engine(database)
    store = EventStore(engine, TYPES)
    await together(store, [append("moved")])
    first, conflict, other = await together(store, [append("a"), append("moved"), append("b")])
    assert isinstance(first, Head)
    assert isinstance(other, Head)
    assert conflict is None
    assert await whole(engine)
    await engine.dispose()


async def test_what_the_database_refuses_fails_alone(database: Database) -> None:
    """And in one statement, without trying each for itself, it takes its neighbours with it."""
    engine = await kernel_engine(database)
    store = EventStore(engine, TYPES)
    appends = [append("first"), append("a"), append("poison", poison=True), append("b")]
    heads = await together(store, appends)
    assert [type(head) for head in heads] == [Head, Head, asyncpg.CharacterNotInRepertoireError, Head]
    assert await scalar(engine, "select count(*) from events") == 3

    async with engine.connect() as connection:
        with pytest.raises(asyncpg.CharacterNotInRepertoireError):
            await store.append(connection, [append("c"), append("d", poison=True)])
    assert await scalar(engine, "select count(*) from events") == 3
    await engine.dispose()


async def test_a_key_that_is_there_already_leaves_its_neighbours_alone(database: Database) -> None:
    engine = await kernel_engine(database)
    store = EventStore(engine, TYPES)
    await together(store, [append("a", key="k")])
    first, again, other = await together(store, [append("first"), append("b", key="k"), append("c", key="l")])
    assert isinstance(first, Head)
    assert isinstance(other, Head)
    assert again is None
    assert await scalar(engine, "select count(*) from idempotency_keys") == 2
    await engine.dispose()


async def test_a_key_that_is_stored_at_the_same_time_leaves_its_neighbours_alone(database: Database) -> None:
    """Another process holds the key in a transaction that has not ended: the statement waits for it, and then fails."""
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    async with elsewhere.connect() as connection:
        transaction = (await driver(connection)).transaction()
        await transaction.start()
        await store.append(connection, [append("elsewhere", key="k")])
        ours = asyncio.create_task(together(store, [append("first"), append("a", key="k"), append("b")]))
        await waiting_for_a_lock(engine)
        await transaction.commit()
    first, taken, other = await ours
    assert isinstance(first, Head)
    assert isinstance(other, Head)
    assert taken is None
    assert await whole(engine)
    await elsewhere.dispose()
    await engine.dispose()


async def test_a_caller_that_goes_away_takes_nobody_along(database: Database) -> None:
    """The head of a stream is locked elsewhere, so that the statement is under way when a caller is cancelled."""
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    await together(store, [append("locked")])
    async with elsewhere.connect() as connection:
        transaction = (await driver(connection)).transaction()
        await transaction.start()
        await (await driver(connection)).execute("select from streams for update")
        group = GroupCommit(store, at_once=1)
        first = asyncio.create_task(group.append(append("locked", expected=1)))
        await waiting_for_a_lock(engine)
        later = [asyncio.create_task(group.append(append(name))) for name in ("a", "b")]
        first.cancel()
        later[0].cancel()
        await asyncio.gather(first, later[0], return_exceptions=True)
        await transaction.rollback()
    assert isinstance(await later[1], Head)
    stored = "select string_agg(stream || '@' || version, ' ' order by stream, version) from events"
    assert await scalar(engine, stored) == "tally-b@1 tally-locked@1 tally-locked@2"
    await elsewhere.dispose()
    await engine.dispose()


async def test_a_connection_that_is_lost_fails_the_group_and_nothing_is_tried_again(database: Database) -> None:
    """Whether the server had committed is not known then: a second try could store a command twice."""
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    await together(store, [append("locked")])
    async with elsewhere.connect() as connection:
        raw = await driver(connection)
        transaction = raw.transaction()
        await transaction.start()
        await raw.execute("select from streams for update")
        ours = asyncio.create_task(together(store, [append("locked", expected=1), append("a"), append("b")]))
        await raw.execute("select pg_terminate_backend($1)", await waiting_for_a_lock(engine))
        lost = await ours
        await transaction.rollback()
    assert all(isinstance(head, Exception) and is_transient(head) for head in lost)
    assert await scalar(engine, "select count(*) from events") == 1
    [head] = await together(store, [append("locked", expected=1)])
    assert isinstance(head, Head)
    await elsewhere.dispose()
    await engine.dispose()


async def test_who_waits_behind_a_group_whose_connection_is_lost_is_stored_on_another(database: Database) -> None:
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    await together(store, [append("locked")])
    async with elsewhere.connect() as connection:
        raw = await driver(connection)
        transaction = raw.transaction()
        await transaction.start()
        await raw.execute("select from streams for update")
        group = GroupCommit(store, at_once=1)
        lost = asyncio.create_task(group.append(append("locked", expected=1)))
        session = await waiting_for_a_lock(engine)
        behind = [asyncio.create_task(group.append(append(name))) for name in ("a", "b")]
        await asyncio.sleep(0)  # they wait behind it now
        await raw.execute("select pg_terminate_backend($1)", session)
        answers = await asyncio.gather(lost, *behind, return_exceptions=True)
        await transaction.rollback()
    assert isinstance(answers[0], Exception)
    assert is_transient(answers[0])
    assert [type(head) for head in answers[1:]] == [Head, Head]
    assert await scalar(engine, "select count(*) from events") == 3
    await elsewhere.dispose()
    await engine.dispose()


async def test_who_is_tried_for_himself_behind_a_lost_connection_is_stored_on_another(database: Database) -> None:
    """The poison has them tried one by one; the connection is lost under the second, and the third was never sent."""
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    await together(store, [append("locked")])
    async with elsewhere.connect() as connection:
        raw = await driver(connection)
        transaction = raw.transaction()
        await transaction.start()
        await raw.execute("select from streams for update")
        appends = [append("poison", poison=True), append("locked", expected=1), append("a"), append("b")]
        ours = asyncio.create_task(together(store, appends))
        await raw.execute("select pg_terminate_backend($1)", await waiting_for_a_lock(engine))
        refused, lost, *behind = await ours
        await transaction.rollback()
    assert isinstance(refused, asyncpg.CharacterNotInRepertoireError)
    assert isinstance(lost, Exception)
    assert is_transient(lost)
    assert [type(head) for head in behind] == [Head, Head]
    assert await scalar(engine, "select count(*) from events") == 3
    await elsewhere.dispose()
    await engine.dispose()


async def test_nobody_is_tried_on_a_connection_on_which_another_was_waited_for_in_vain(database: Database) -> None:
    """It may be dead without knowing it: each that was tried on it would wait as long."""
    engine = await kernel_engine(database)
    impatient = create_async_engine(database.url, connect_args={"command_timeout": 0.5})
    store, used = EventStore(impatient, TYPES), dict[str, int]()
    appended = store.append_directly

    async def noted(raw: Any, appends: Sequence[Append]) -> dict[str, Head]:
        used.update({one.stream: raw.get_server_pid() for one in appends})
        return await appended(raw, appends)

    store.append_directly = noted
    await together(store, [append("locked")])
    async with engine.connect() as connection:
        await connection.execute(text("select from streams for update"))
        appends = [append("poison", poison=True), append("locked", expected=1), append("a")]
        _, waited, head = await together(store, appends)
        await connection.rollback()
    assert isinstance(waited, TimeoutError)
    assert isinstance(head, Head)
    assert used["tally-poison"] == used["tally-locked"] != used["tally-a"]
    await impatient.dispose()
    await engine.dispose()


async def test_who_shares_nothing_with_a_group_that_waits_is_stored_meanwhile_and_who_does_waits(
    database: Database,
) -> None:
    """By one writer alone everybody waits."""
    engine = await kernel_engine(database)
    store, elsewhere = EventStore(engine, TYPES), create_engine(database.url)
    await together(store, [append("locked")])
    async with elsewhere.connect() as connection:
        raw = await driver(connection)
        transaction = raw.transaction()
        await transaction.start()
        await raw.execute("select from streams for update")
        group, one_by_one = GroupCommit(store), GroupCommit(store, at_once=1)
        first = [asyncio.create_task(one.append(append("locked", expected=1, key="k"))) for one in (group, one_by_one)]
        await until(partial(waiting_statements, engine, 2), what="both statements to wait")
        later = [append("locked", expected=2), append("other", key="k"), append("a"), append("b")]
        tasks = [asyncio.create_task(group.append(one)) for one in later]
        slow = asyncio.create_task(one_by_one.append(append("c")))
        assert [type(head) for head in await asyncio.gather(*tasks[2:])] == [Head, Head]
        assert not any(task.done() for task in (*first, *tasks[:2], slow))
        await transaction.rollback()
    await asyncio.gather(*first, *tasks, slow)
    assert await whole(engine)
    await elsewhere.dispose()
    await engine.dispose()


async def test_two_groups_share_the_commands_that_come_at_once(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await asyncio.gather(*(commands.handle(context(), TALLY, tally_id(n), count(n)) for n in range(64)))
    assert statements(commands) == 2
    await engine.dispose()


async def test_who_waits_for_a_connection_that_is_not_to_be_had_is_told_and_the_next_are_served(
    database: Database,
) -> None:
    engine = await kernel_engine(database)
    scarce = create_async_engine(database.url, pool_size=1, max_overflow=0, pool_timeout=0.2)
    group = GroupCommit(EventStore(scarce, TYPES))
    async with scarce.connect():
        refused = await asyncio.gather(*(group.append(append(name)) for name in ("a", "b")), return_exceptions=True)
    assert all(isinstance(head, Exception) and is_transient(head) for head in refused)
    assert isinstance(await group.append(append("c")), Head)
    assert await scalar(engine, "select count(*) from events") == 1
    await scarce.dispose()
    await engine.dispose()


async def test_a_command_that_begins_a_stream_asks_for_nothing_before_it_appends(database: Database) -> None:
    """Who takes a stream to be new that is not finds out by the append, and decides again from the store."""
    engine = await kernel_engine(database)
    asked: list[str] = []
    commands = handler(engine)
    read = commands.store.read

    async def noted(connection: AsyncConnection, stream: str, *, after: int = 0) -> list[StoredEvent]:
        asked.append(stream)
        return await read(connection, stream, after=after)

    commands.store.read = noted
    await commands.handle(context(), TALLY, tally_id("a"), count())
    assert asked == []
    await handler(engine).handle(context(), TALLY, tally_id("b"), count(5))
    second = await commands.handle(context(), TALLY, tally_id("b"), count())
    assert (second.version, second.state.total, len(asked)) == (2, 6, 1)
    await handler(engine).handle(context(), TALLY, tally_id("c"), SEAL)
    with pytest.raises(Rejected):
        await commands.handle(context(), TALLY, tally_id("c"), count())
    assert await whole(engine)
    await engine.dispose()


async def test_an_accepted_command_is_answered_again_although_its_subject_was_erased_since(database: Database) -> None:
    engine, erased = await kernel_engine(database), False

    async def seal(event: Event, _event_id: UUID) -> Event:
        if erased:
            raise SubjectErased("their key was deleted")
        return event

    commands = CommandHandler(EventStore(engine, TYPES, seal=seal), partitions=12)
    first = await commands.handle(context(key="k"), TALLY, tally_id("a"), count())
    erased = True
    again = await commands.handle(context(key="k"), TALLY, tally_id("a"), count())
    assert (again.replayed, again.version) == (True, first.version)
    with pytest.raises(SubjectErased):
        await commands.handle(context(key="other"), TALLY, tally_id("a"), count())
    await engine.dispose()


async def test_a_remembered_state_refuses_nothing_that_has_become_right(database: Database) -> None:
    """Two processes: what the one remembers is older than what the other has stored."""
    engine = await kernel_engine(database)
    ours, theirs = handler(engine), handler(engine)
    await ours.handle(context(), TALLY, tally_id("a"), count())
    await theirs.handle(context(), TALLY, tally_id("a"), count())
    current = await ours.handle(replace(context(), expected_version=2), TALLY, tally_id("a"), count())
    assert (current.version, current.state.total) == (3, 3)
    await theirs.handle(context(), TALLY, tally_id("a"), SEAL)
    with pytest.raises(Rejected):
        await ours.handle(context(), TALLY, tally_id("a"), count())
    await engine.dispose()


async def test_many_processes_commands_on_few_streams_are_each_stored_whole_and_once(database: Database) -> None:
    engine = await kernel_engine(database)
    handlers, rnd = [handler(engine) for _ in range(3)], random.Random(4)
    accepted = 0

    async def one(n: int) -> None:
        """Every key comes twice, with the same command on the same stream."""
        nonlocal accepted
        times, commands = 1 + n % 3, rnd.choice(handlers)
        with suppress(Conflict):
            outcome = await commands.handle(context(key=f"k{n}"), TALLY, tally_id(n % 15), count(times=times))
            accepted += 0 if outcome.replayed else times

    for start in range(0, 300, 50):
        await asyncio.gather(*(one(n % 150) for n in range(start, start + 50)))
    assert await scalar(engine, "select count(*) from events") == accepted
    assert await whole(engine)
    await engine.dispose()


async def test_what_is_remembered_of_a_stream_that_a_restore_took_back_is_forgotten(database: Database) -> None:
    """The backup held neither the seal nor the second count: neither is "already so"."""
    engine = await kernel_engine(database)
    ours = handler(engine)
    for command in (count(), count(), SEAL):
        await ours.handle(context(), TALLY, tally_id("a"), command)
    await ours.handle(context(), TALLY, tally_id("b"), SEAL)
    async with engine.begin() as connection:
        await connection.execute(text("delete from events where position > 1"))
        await connection.execute(text("delete from streams where stream like '%' || :b"), {"b": str(tally_id("b"))})
        await connection.execute(text("update streams set version = 1"))
    for name, version in (("a", 2), ("b", 1)):
        sealed = await ours.handle(context(), TALLY, tally_id(name), SEAL)
        assert (sealed.version, sealed.state.sealed) == (version, True)
    assert await whole(engine)
    await engine.dispose()
