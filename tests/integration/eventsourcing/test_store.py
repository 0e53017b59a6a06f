"""Appending: whole commands or nothing, under concurrency, with idempotency keys."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import text

from shared.eventsourcing.append import Append, Key, NewEvent
from shared.eventsourcing.database import driver
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.errors import Conflict, KeyReused, VersionMismatch
from shared.eventsourcing.identifiers import stream_name, uuid7
from shared.eventsourcing.store import EventStore, Metadata
from tests.integration.eventsourcing.tally import (
    NOW,
    SOMEBODY,
    TALLY,
    TYPES,
    Seal,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
)
from tests.servers.databases import Database

SEAL = Seal(at=NOW, by=SOMEBODY)


def new_event(n: int = 1) -> NewEvent:
    metadata = Metadata(occurred_at=NOW, actor=SOMEBODY, command_id=uuid7(), correlation_id=uuid7())
    return NewEvent(
        event_id=uuid7(), event_type="trellis.tally.Counted.v1", data=f'{{"step":{n}}}', metadata=metadata.encode()
    )


async def test_a_command_is_answered_with_the_version_and_position_of_its_last_event(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    first = await commands.handle(context(), TALLY, tally_id("a"), count(2, times=3))
    second = await commands.handle(context(), TALLY, tally_id("a"), count(5))
    assert (first.version, first.state.total, second.version, second.state.total) == (3, 6, 4, 11)
    assert second.position == await scalar(engine, "select max(position) from events")
    await engine.dispose()


async def test_a_merged_append_stores_whole_commands_and_fails_only_those_in_conflict(database: Database) -> None:
    """Four writers, hot streams, one command a statement or twenty: each command is there whole or not at all."""
    engine = await kernel_engine(database)
    store = EventStore(engine, TYPES)
    versions: dict[str, int] = {}
    won, lost = Counter[int](), Counter[int]()

    async def writer(seed: int) -> None:
        rnd = random.Random(seed)
        for _ in range(150):
            streams = rnd.sample([f"tally-{n}" for n in range(60)], rnd.choice((1, 20)))
            appends = [
                Append(
                    stream=s, expected=versions.get(s, 0), events=[new_event() for _ in range(rnd.choice((1, 2, 3)))]
                )
                for s in streams
            ]
            async with engine.connect() as connection:
                heads = await store.append(connection, appends)
                for a in appends:
                    if a.stream in heads:
                        assert heads[a.stream].version == a.expected + len(a.events)
                        versions[a.stream] = heads[a.stream].version
                        won[len(appends)] += 1
                    else:
                        raw = await driver(connection)
                        versions[a.stream] = await raw.fetchval("select version from streams where stream=$1", a.stream)
                        lost[len(appends)] += 1

    await asyncio.gather(*(writer(seed) for seed in range(4)))
    assert min(won[1], won[20]) > 0
    assert min(lost[1], lost[20]) > 0
    torn = "select count(*) from (select stream, max(version) m, count(*) n from events group by 1) x where m <> n"
    heads = (
        "select count(*) from streams s where version <> (select max(version) from events e where e.stream=s.stream)"
    )
    inverted = (
        "select count(*) from (select position < lag(position) over (partition by stream order by version) as i "
        "from events) x where i"
    )
    assert [await scalar(engine, s) for s in (torn, heads, inverted)] == [0, 0, 0]
    await engine.dispose()


@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("events", [1, 2])
async def test_who_waited_for_another_append_to_the_stream_finds_that_it_has_moved(
    database: Database, first: int, events: int
) -> None:
    engine = await kernel_engine(database)
    store = EventStore(engine, TYPES)
    before = Append(stream="tally-x", expected=0, events=[new_event() for _ in range(first)])
    won = Append(stream="tally-x", expected=first, events=[new_event()])
    lost = replace(won, events=[new_event() for _ in range(events)])
    async with engine.connect() as one, engine.connect() as other:
        if first:
            await store.append(one, [before])
        await (await driver(one)).execute("begin")
        assert "tally-x" in await store.append(one, [won])
        waiting = asyncio.create_task(store.append(other, [lost]))
        async with asyncio.timeout(10):
            while not await scalar(engine, "select count(*) from pg_locks where not granted"):  # noqa: ASYNC110 - a lock tells nobody
                await asyncio.sleep(0.01)
        await (await driver(one)).execute("commit")
        assert await waiting == {}
    assert await scalar(engine, "select count(*) from events") == first + 1
    await engine.dispose()


async def test_an_append_reads_no_stream_and_no_key_but_its_own(database: Database) -> None:
    """However many there are, and on a plan that was made when there were few."""
    engine = await kernel_engine(database)
    store, key = EventStore(engine, TYPES), Key(caller="somebody", route="POST /tallies", key="", request_hash=b"")
    async with engine.connect() as connection:
        raw = await driver(connection)
        for version in range(20):
            one = Append(stream="tally-x", expected=version, events=[new_event()], key=replace(key, key=str(version)))
            assert await store.append(connection, [one])
            assert await store.append(connection, [replace(one, stream="tally-y", events=[new_event()], key=None)])
        await raw.execute("insert into streams select 'tally-' || n, 1 from generate_series(1, 2000) n")
        await raw.execute("""insert into idempotency_keys
                             select 'somebody', 'somewhere', n, '', '{}', 1, 1 from generate_series(1, 2000) n""")
        async with raw.transaction():
            last = Append(stream="tally-x", expected=20, events=[new_event()], key=replace(key, key="last"))
            assert await store.append(connection, [last])
            assert await store.append(connection, [replace(last, expected=21, events=[new_event()], key=None)])
            passed = """select coalesce(sum(seq_tup_read), 0) from pg_stat_xact_user_tables
                         where relname in ('streams', 'idempotency_keys')"""
            assert await raw.fetchval(passed) == 0
    await engine.dispose()


async def test_a_plain_insert_that_ignores_conflicts_stores_half_a_command(database: Database) -> None:
    """Negative control: without stream heads, a command that lost the race for its first version keeps its second."""
    engine = await kernel_engine(database)
    async with engine.connect() as connection:
        raw = await driver(connection)
        insert = """insert into events (stream, version, event_id, type, data, metadata)
                    select 'tally-x', v, gen_random_uuid(), 't', '{}', '{}' from unnest($1::int[]) v
                    on conflict do nothing"""
        await raw.execute(insert, [1])
        await raw.execute(insert, [1, 2])
        assert await raw.fetchval("select count(*) from events where stream = 'tally-x'") == 2
    store = EventStore(engine, TYPES)
    async with engine.connect() as connection:
        assert "tally-y" in await store.append(connection, [Append(stream="tally-y", expected=0, events=[new_event()])])
        late = Append(stream="tally-y", expected=0, events=[new_event(), new_event()])
        assert await store.append(connection, [late]) == {}
    assert await scalar(engine, "select count(*) from events where stream = 'tally-y'") == 1
    await engine.dispose()


async def test_concurrent_commands_on_one_stream_are_each_stored_once_or_refused(database: Database) -> None:
    engine = await kernel_engine(database)
    handlers = [handler(engine) for _ in range(8)]

    async def one(n: int) -> int:
        try:
            await handlers[n % 8].handle(context(), TALLY, tally_id("hot"), count())
        except Conflict:
            return 0
        return 1

    accepted = sum(await asyncio.gather(*(one(n) for n in range(80))))
    assert await scalar(engine, "select count(*) from events") == accepted
    assert accepted > 8
    await engine.dispose()


async def test_a_repeated_key_gets_the_first_answer_and_stores_nothing(database: Database) -> None:
    engine = await kernel_engine(database)

    def answer(_identity: object, version: int, _state: object) -> dict[str, object]:
        return {"version": version}

    first = await handler(engine).handle(context(key="k"), TALLY, tally_id("a"), count(), answer=answer)
    await handler(engine).handle(context(), TALLY, tally_id("a"), count())
    again = await handler(engine).handle(context(key="k"), TALLY, tally_id("a"), count(), answer=answer)
    assert (again.answer, again.version, again.position, again.replayed) == (first.answer, 1, first.position, True)
    assert await scalar(engine, "select count(*) from events") == 2
    await engine.dispose()


async def test_the_same_key_at_the_same_time_is_done_once_and_answered_alike(database: Database) -> None:
    engine = await kernel_engine(database)
    for n in range(20):
        outcomes = await asyncio.gather(
            *(handler(engine).handle(context(key=f"k{n}"), TALLY, tally_id(n), count()) for _ in range(6))
        )
        assert len({o.position for o in outcomes}) == 1
    assert await scalar(engine, "select count(*) from events") == 20
    await engine.dispose()


async def test_a_key_that_comes_with_another_request_is_refused(database: Database) -> None:
    engine = await kernel_engine(database)
    await handler(engine).handle(context(key="k", body=b"one"), TALLY, tally_id("a"), count())
    with pytest.raises(KeyReused):
        await handler(engine).handle(context(key="k", body=b"two"), TALLY, tally_id("a"), count())
    await engine.dispose()


async def test_an_accepted_answer_is_kept_also_when_nothing_was_appended(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await commands.handle(context(), TALLY, tally_id("a"), SEAL)
    nothing = await commands.handle(context(key="k"), TALLY, tally_id("a"), SEAL)
    again = await commands.handle(context(key="k"), TALLY, tally_id("a"), SEAL)
    assert (nothing.version, again.version, again.replayed) == (1, 1, True)
    await engine.dispose()


async def test_a_rejection_is_not_kept_and_the_command_is_decided_afresh(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await commands.handle(context(), TALLY, tally_id("a"), SEAL)
    with pytest.raises(Rejected):
        await commands.handle(context(key="k"), TALLY, tally_id("a"), count())
    assert await scalar(engine, "select count(*) from idempotency_keys") == 0
    await engine.dispose()


async def test_the_loser_of_a_race_gets_the_winners_answer_although_its_own_decision_is_rejected(
    database: Database,
) -> None:
    engine = await kernel_engine(database)
    both = await asyncio.gather(
        *(handler(engine).handle(context(key="once"), TALLY, tally_id("a"), SEAL) for _ in range(2))
    )
    assert both[0].position == both[1].position
    with pytest.raises(Rejected):
        await handler(engine).handle(context(key="other"), TALLY, tally_id("a"), count())
    await engine.dispose()


async def test_another_version_than_expected_is_refused(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await commands.handle(context(), TALLY, tally_id("a"), count())
    await commands.handle(context(expected_version=1), TALLY, tally_id("a"), count())
    with pytest.raises(VersionMismatch):
        await commands.handle(context(expected_version=1), TALLY, tally_id("a"), count())
    assert await scalar(engine, "select count(*) from events") == 2
    await engine.dispose()


async def test_who_may_not_know_of_a_stream_is_not_told_its_version(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await commands.handle(context(), TALLY, tally_id("a"), count())

    def another_standing(_state: object) -> None:
        raise Rejected("not-yours")

    guarded = context(expected_version=7)
    guarded.guards[stream_name("tally", tally_id("a"))] = another_standing
    with pytest.raises(Rejected, match="not-yours"):
        await commands.handle(guarded, TALLY, tally_id("a"), count())
    await engine.dispose()


async def test_a_command_over_several_streams_is_stored_whole_or_not_at_all(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)

    async def both(decision: Decision) -> None:
        await decision.decide(TALLY, tally_id("a"), count())
        await decision.decide(TALLY, tally_id("b"), count())

    outcomes = await commands.handle_together(context(), both)
    assert [o.version for o in outcomes] == [1, 1]
    await commands.handle(context(), TALLY, tally_id("b"), SEAL)
    with pytest.raises(Rejected):
        await commands.handle_together(context(), both)
    assert await scalar(engine, "select count(*) from events") == 3
    await engine.dispose()


@pytest.mark.parametrize("held", [True, False])
async def test_a_fact_of_another_stream_still_holds_when_the_decision_commits(
    database: Database, *, held: bool
) -> None:
    """Negative control: without `hold` both of two writers see the other's stream unsealed, and both seal their own."""
    engine = await kernel_engine(database)
    one, other = tally_id("one"), tally_id("other")
    both_read = asyncio.Barrier(2)

    async def seal(mine: object, theirs: object) -> bool:
        rounds = 0

        async def plan(decision: Decision) -> None:
            nonlocal rounds
            rounds += 1
            load = decision.hold if held else decision.load
            fact = await load(TALLY, theirs)  # pyright: ignore[reportArgumentType]
            if rounds == 1:
                await both_read.wait()
            if fact.state.sealed:
                raise Rejected("only-one-may-be-sealed")
            await decision.decide(TALLY, mine, SEAL)  # pyright: ignore[reportArgumentType]

        try:
            await handler(engine).handle_together(context(), plan)
        except (Rejected, Conflict):
            return False
        return True

    for identity in (one, other):
        await handler(engine).handle(context(), TALLY, identity, count())
    sealed = await asyncio.gather(seal(one, other), seal(other, one))
    assert sum(sealed) == (1 if held else 2)
    await engine.dispose()


async def test_the_state_is_completed_by_reading_newer_events_of_other_processes(database: Database) -> None:
    engine = await kernel_engine(database)
    ours, theirs = handler(engine), handler(engine)
    await ours.handle(context(), TALLY, tally_id("a"), count())
    await theirs.handle(context(), TALLY, tally_id("a"), count(10))
    assert (await ours.handle(context(), TALLY, tally_id("a"), count(100))).state.total == 111
    await engine.dispose()


async def test_every_insert_into_the_events_takes_the_barrier(database: Database) -> None:
    engine = await kernel_engine(database)
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "insert into events (stream, version, event_id, type, data, metadata) "
                "values ('tally-1', 1, gen_random_uuid(), 't', '{}', '{}')"
            )
        )
        held = "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ShareLock' and granted"
        assert await scalar(engine, held) >= 1
        await connection.rollback()
    await engine.dispose()
