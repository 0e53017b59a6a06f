"""Reactions on a real PostgreSQL: each event leads to its commands once, in one transaction with the checkpoint."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.administration import follow
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision
from shared.eventsourcing.errors import SubjectErased, WaitingFor
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.reaction import React, Reaction, one_by_one
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.repair import Repair
from shared.eventsourcing.schema import register_reader
from shared.eventsourcing.store import EventStore
from shared.schemas.event import Event
from shared.schemas.identifiers import SYSTEM
from tests.integration.eventsourcing.records import AT, FakeRecord, Log
from tests.integration.eventsourcing.tally import (
    NOW,
    SOMEBODY,
    TALLY,
    TYPES,
    Count,
    Counted,
    Seal,
    Sealed,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
)
from tests.servers.databases import Database

TOPIC = "elsewhere.events"


class Unheard(Event):
    event_type: ClassVar[str] = "trellis.tally.Unheard.v1"


async def mirror(decision: Decision, recorded: Recorded) -> None:
    """What is counted elsewhere is counted here, and in the total of all."""
    assert isinstance(recorded.event, Counted)
    step = Count(step=recorded.event.step, at=recorded.envelope.recorded_at, by=SYSTEM)
    await decision.decide(TALLY, recorded.stream_id, step)
    await decision.decide(TALLY, tally_id("all"), step)


async def reacting(database: Database, react: React = mirror) -> tuple[AsyncEngine, Reader, CommandHandler]:
    engine = await kernel_engine(database, partitions=3)
    async with engine.begin() as connection:
        await connection.run_sync(lambda c: register_reader(c, "mirror", (TOPIC,), partitions=3))
    commands = handler(engine)
    reaction = Reaction(name="mirror", topics=(TOPIC,), react=one_by_one(react), starts="beginning")
    return engine, Reader(engine, TYPES, Reactor(reaction, commands)), commands


def log_of(*names: str) -> Log:
    log = Log(TOPIC, partitions=1)
    for name in names:
        log.append(f"tally-{tally_id(name)}", Counted(step=1))
    return log


async def process(reader: Reader, records: Sequence[FakeRecord]) -> Any:
    return await reader.process(TOPIC, 0, records)


async def total(engine: AsyncEngine, name: str) -> int:
    async with engine.connect() as connection:
        events = await connection.execute(
            text("select coalesce(sum((data::json->>'step')::int), 0) from events where stream = :s"),
            {"s": f"tally-{tally_id(name)}"},
        )
        return events.scalar_one()


async def test_every_event_leads_to_its_commands_once_also_when_it_is_read_again(database: Database) -> None:
    engine, reader, _ = await reacting(database)
    log = log_of("a", "b", "a", "c")
    await process(reader, log.records[0])
    await process(reader, log.records[0])
    assert (await total(engine, "a"), await total(engine, "all")) == (2, 4)
    await follow(engine, "mirror")  # back to the beginning: the keys remember what the checkpoint forgot
    await process(reader, log.records[0])
    assert (await total(engine, "a"), await total(engine, "all")) == (2, 4)
    await engine.dispose()


async def test_what_was_read_ahead_is_what_the_store_holds_and_what_the_slice_did_since(database: Database) -> None:
    """Of a this process remembers something, b others have stored, c nobody, and the total moves with every event."""
    engine, _, commands = await reacting(database)

    async def all_at_once(decision: Decision, store: EventStore, events: Sequence[Recorded]) -> React:
        await decision.read_ahead(store, TALLY, {*(recorded.stream_id for recorded in events), tally_id("all")})
        return mirror

    reader = Reader(engine, TYPES, Reactor(Reaction(name="mirror", topics=(TOPIC,), react=all_at_once), commands))
    await commands.handle(context(), TALLY, tally_id("a"), count(10))
    for name in ("a", "b"):
        await handler(engine).handle(context(), TALLY, tally_id(name), count(100))
    await process(reader, log_of("a", "b", "a", "c").records[0])
    assert [await total(engine, name) for name in ("a", "b", "c", "all")] == [112, 101, 1, 4]
    await engine.dispose()


async def test_a_stream_that_is_read_in_turn_is_read_again(database: Database) -> None:
    engine = await kernel_engine(database)
    commands = handler(engine)
    await commands.handle(context(), TALLY, tally_id("a"), count())
    seen: list[int] = []

    async def twice(decision: Decision) -> None:
        await decision.read_ahead(commands.store, TALLY, [tally_id("a")])
        await handler(engine).handle(context(), TALLY, tally_id("a"), count())
        seen.append((await decision.load(TALLY, tally_id("a"))).version)
        seen.append((await decision.in_turn(TALLY, tally_id("a"))).version)
        await decision.decide(TALLY, tally_id("a"), count())

    [outcome] = await commands.handle_together(context(), twice)
    assert (seen, outcome.version) == ([1, 2], 3)
    await engine.dispose()


async def test_a_reactions_events_name_their_cause_and_the_system_as_actor(database: Database) -> None:
    engine, reader, _ = await reacting(database)
    log = log_of("a")
    await process(reader, log.records[0])
    async with engine.connect() as connection:
        row = (await connection.execute(text("select metadata::json as m from events order by position limit 1"))).one()
    assert row.m["actor"] == str(SYSTEM)
    assert row.m["causation_id"] == dict(log.records[0][0].headers)["ce_id"].decode()
    assert row.m["occurred_at"] == AT.isoformat()
    await engine.dispose()


async def test_a_conflict_with_a_command_reruns_the_whole_slice(database: Database) -> None:
    engine, reader, commands = await reacting(database)
    log = log_of(*"abcdefgh")

    async def write() -> None:
        for _ in range(30):
            await commands.handle(context(), TALLY, tally_id("all"), count(100))

    writer = asyncio.create_task(write())
    for n in range(8):
        await process(reader, [log.records[0][n]])
    await writer
    assert await total(engine, "all") == 3008
    await engine.dispose()


async def test_a_broken_rule_is_an_outcome_that_the_reaction_decides(database: Database) -> None:
    async def seal_or_count(decision: Decision, recorded: Recorded) -> None:
        try:
            await mirror(decision, recorded)
        except Rejected:
            await decision.decide(TALLY, tally_id("refused"), count())

    engine, reader, commands = await reacting(database, seal_or_count)
    await commands.handle(context(), TALLY, tally_id("a"), Seal(at=NOW, by=SOMEBODY))
    await process(reader, log_of("a", "b").records[0])
    assert (await total(engine, "refused"), await total(engine, "b")) == (1, 1)
    assert await scalar(engine, "select count(*) from dead_letters") == 0
    await engine.dispose()


async def test_a_missing_fact_parks_its_stream_until_the_fact_is_there(database: Database) -> None:
    known: set[str] = set()

    async def when_known(decision: Decision, recorded: Recorded) -> None:
        if recorded.stream not in known and recorded.stream == f"tally-{tally_id('a')}":
            raise WaitingFor("registration:a")
        await mirror(decision, recorded)

    engine, reader, _ = await reacting(database, when_known)
    log = log_of("a", "b", "a")
    progress = await process(reader, log.records[0])
    assert (progress.position, await total(engine, "a"), await total(engine, "b")) == (3, 0, 1)
    assert await scalar(engine, "select count(*) from dead_letters where waiting_for = 'registration:a'") == 1
    stream = f"tally-{tally_id('a')}"
    assert not await reader.retry(stream, TOPIC, 0)
    known.add(stream)
    assert await reader.retry(stream, TOPIC, 0)
    assert (await total(engine, "a"), await scalar(engine, "select count(*) from dead_letters")) == (2, 0)
    await engine.dispose()


async def test_nothing_is_parked_for_a_command_that_speaks_of_somebody_who_was_erased(database: Database) -> None:
    """Their key is gone, so that the text can never be sealed: the event is done with, and its stream goes on."""
    erased = tally_id("a")

    async def seal(event: Event, _event_id: UUID) -> Event:
        if isinstance(event, Counted) and event.step == 13:
            raise SubjectErased("their key was deleted")
        return event

    async def about_the_erased(decision: Decision, recorded: Recorded) -> None:
        if recorded.stream_id == erased and recorded.version == 1:
            await decision.decide(TALLY, tally_id("all"), count(13))
        else:
            await mirror(decision, recorded)

    engine, _, _ = await reacting(database)
    commands = CommandHandler(EventStore(engine, TYPES, seal=seal), partitions=12)
    reaction = Reaction(name="mirror", topics=(TOPIC,), react=one_by_one(about_the_erased), starts="beginning")
    reader = Reader(engine, TYPES, Reactor(reaction, commands))
    log = log_of("b", "a", "a", "c")
    await process(reader, log.records[0])
    assert (await total(engine, "all"), await total(engine, "a")) == (3, 1)
    assert await scalar(engine, "select count(*) from dead_letters") == 0
    await follow(engine, "mirror")
    await process(reader, log.records[0])
    assert await total(engine, "all") == 3
    await engine.dispose()


async def test_what_was_given_up_is_not_reacted_to_when_the_log_is_read_again(database: Database) -> None:
    """Somebody has done it by hand: with the code mended, the reaction must not do it once more."""
    broken = True

    async def fragile(decision: Decision, recorded: Recorded) -> None:
        if broken and recorded.stream_id == tally_id("a"):
            raise ValueError("not yet")
        await mirror(decision, recorded)

    engine, reader, _ = await reacting(database, fragile)
    log = log_of("a", "b")
    await process(reader, log.records[0])
    parked = await scalar(engine, "select id from dead_letters")
    await Repair(engine, [reader]).discard(parked, reason="counted by hand", actor=SYSTEM)
    broken = False
    await follow(engine, "mirror")
    await process(reader, log.records[0])
    assert (await total(engine, "a"), await total(engine, "b")) == (0, 1)
    await engine.dispose()


async def test_events_that_a_reaction_does_not_care_for_are_passed_over(database: Database) -> None:
    async def only_sealed(decision: Decision, recorded: Recorded) -> None:
        if isinstance(recorded.event, Sealed):
            await decision.decide(TALLY, tally_id("sealed"), count())

    engine, reader, _ = await reacting(database, only_sealed)
    log = log_of("a", "b")
    log.append(f"tally-{tally_id('a')}", Sealed())
    log.append(f"tally-{tally_id('a')}", Unheard())
    progress = await process(reader, log.records[0])
    assert (progress.position, await total(engine, "sealed")) == (4, 1)
    assert await scalar(engine, "select count(*) from dead_letters") == 0
    await engine.dispose()


async def test_a_slice_that_fails_before_its_commit_leaves_neither_events_nor_checkpoint(database: Database) -> None:
    calls = 0

    async def breaks_once(decision: Decision, recorded: Recorded) -> None:
        nonlocal calls
        calls += 1
        await mirror(decision, recorded)
        if calls == 2:
            raise ConnectionResetError("the database went away")

    engine, reader, _ = await reacting(database, breaks_once)
    log = log_of("a", "b", "c")
    try:
        await process(reader, log.records[0])
    except ConnectionResetError:
        assert await scalar(engine, "select count(*) from events") == 0
        assert {c.position for c in await checkpoints.read_all(engine, "mirror")} == {0}
    await process(reader, log.records[0])
    assert (calls, await total(engine, "all")) == (5, 3)
    await engine.dispose()
