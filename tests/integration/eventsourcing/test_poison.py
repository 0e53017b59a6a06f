"""What an event cannot be blamed for, what it can, and that neither holds up more than it must."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.dead_letters import waiting
from shared.eventsourcing.errors import WaitingFor
from shared.eventsourcing.projection import Apply
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import LOG_MARK
from tests.integration.eventsourcing.records import LOG, Log
from tests.integration.eventsourcing.tally import TYPES, Counted, apply, kernel_engine, scalar, tally_projection
from tests.servers.databases import Database

TOPIC = "tally.events"


async def reader_on(database: Database, applying: Apply = apply) -> tuple[AsyncEngine, Reader]:
    engine = await kernel_engine(database, topics=(TOPIC,), partitions=1)
    return engine, Reader(engine, TYPES, Projector(replace(tally_projection(TOPIC), apply=applying)))


def step(recorded: Recorded) -> int:
    assert isinstance(recorded.event, Counted)
    return recorded.event.step


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_causationid": b"not-a-uuid"},
        {"ce_subject": b"tally-\x00"},
        {"ce_position": b"9" * 30},
        {"ce_type": LOG_MARK.encode(), "ce_previousid": b"not-a-uuid", "ce_logid": str(LOG).encode()},
    ],
)
async def test_whatever_is_wrong_with_a_header_parks_one_record(database: Database, headers: dict[str, bytes]) -> None:
    engine, reader = await reader_on(database)
    log = Log(TOPIC, partitions=1)
    first = log.append("tally-a")
    log.put(0, list((dict(first.headers) | headers).items()), b"{}")
    log.append("tally-a")
    progress = await reader.process(TOPIC, 0, log.records[0])
    assert (progress.position, progress.next_offset) == (2, 3)
    assert await scalar(engine, "select count(*) from dead_letters") == 1
    await engine.dispose()


async def test_a_cause_that_holds_what_the_database_cannot_is_parked_all_the_same(database: Database) -> None:
    async def refuse(_connection: AsyncConnection, _events: Sequence[Recorded]) -> None:
        raise ValueError("a NUL: \x00, a lone surrogate: \ud800")

    engine, reader = await reader_on(database, refuse)
    log = Log(TOPIC, partitions=1)
    log.append("tally-a")
    assert (await reader.process(TOPIC, 0, log.records[0])).position == 1
    assert await scalar(engine, "select count(*) from dead_letters") == 1
    await engine.dispose()


async def test_a_slice_that_takes_too_long_is_cut_smaller_until_it_fits(database: Database) -> None:
    """The server cuts off a transaction after ten seconds: the same slice again would be cut off for ever."""
    sizes: list[int] = []

    async def slow(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        sizes.append(len(events))
        if len(events) > 30:
            raise TimeoutError("the server cut the transaction off")
        await apply(connection, events)

    engine, reader = await reader_on(database, slow)
    log = Log(TOPIC, partitions=1)
    for n in range(100):
        log.append(f"tally-{n % 7}")
    for _ in range(3):
        try:
            progress = await reader.process(TOPIC, 0, log.records[0])
            break
        except TimeoutError:
            continue
    else:
        pytest.fail(f"never fitted: {sizes}")
    assert progress.position == 100
    assert await scalar(engine, "select count(*) from applied") == 100
    await engine.dispose()


async def test_poison_is_found_by_halving_and_what_surrounds_it_is_applied_in_order(database: Database) -> None:
    calls = 0

    async def fragile(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        nonlocal calls
        calls += 1
        if any(step(e) == 13 for e in events):
            raise ValueError("13 is not to be counted")
        await apply(connection, events)

    engine, reader = await reader_on(database, fragile)
    log = Log(TOPIC, partitions=1)
    for n in range(200):
        log.append(f"tally-{n % 5}", Counted(step=13 if n == 100 else 1))
    assert (await reader.process(TOPIC, 0, log.records[0])).position == 200
    assert await scalar(engine, "select count(*) from dead_letters") == 20  # n = 100, 105, ... of its stream
    assert await scalar(engine, "select count(*) from applied") == 180
    assert await scalar(engine, "select sum(disorder)::bigint from tallies") == 0
    assert calls < 30
    await engine.dispose()


async def test_a_stream_that_waits_goes_on_as_far_as_it_can_and_holds_up_no_other(database: Database) -> None:
    known: set[int] = set()

    async def when_known(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        for e in events:
            if step(e) == 13 and 13 in known:
                raise KeyError("what came is not what was hoped for")
            if step(e) > 10 and step(e) not in known:
                raise WaitingFor(f"fact {step(e)}")
        await apply(connection, events)

    engine, reader = await reader_on(database, when_known)
    log = Log(TOPIC, partitions=1)
    for stream, steps in {"tally-a": (13, 1), "tally-b": (11, 1, 12, 1), "tally-c": (11, 1)}.items():
        for n in steps:
            log.append(stream, Counted(step=n))
    await reader.process(TOPIC, 0, log.records[0])
    assert await scalar(engine, "select count(*) from applied") == 0

    async def retry() -> list[bool]:
        return [await reader.retry(*one) for one in sorted(await waiting(engine, reader.name))]

    known.update((11, 13))
    assert await retry() == [False, False, True]
    rows: Any = "select count(*) from dead_letters where stream = 'tally-a' and waiting_for is not null"
    assert await scalar(engine, rows) == 0  # a dead letter now, and no longer tried
    assert await scalar(engine, "select version from tallies where tally = 'tally-b'") == 2
    known.add(12)
    assert await retry() == [True]
    assert await scalar(engine, "select sum(disorder)::bigint from tallies") == 0
    assert await scalar(engine, "select count(*) from dead_letters") == 2
    await engine.dispose()
