"""Property: whatever the interleaving, repetition, restart or failure, the rows are those of an independent fold."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from tests.integration.eventsourcing.records import FakeRecord, Log
from tests.integration.eventsourcing.tally import APPLIED, TALLIES, TYPES, Counted, apply, kernel_engine, start_over
from tests.servers.databases import Database

TOPICS = ("here.events", "there.events")
PARTITIONS = 2


class Delivery:
    """Delivers two topics' partitions in their own order, two slices at once, with everything that goes wrong."""

    def __init__(self, engine: AsyncEngine, logs: Sequence[Log], seed: int) -> None:
        self._random = random.Random(seed)
        self._engine = engine
        self._parts = [(log.topic, p, log.records.get(p, [])) for log in logs for p in range(PARTITIONS)]
        self._next = [0 for _ in self._parts]

    def projection(self) -> Projection:
        async def sometimes_failing(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
            await apply(connection, events)
            if self._random.random() < 0.15:
                raise ConnectionResetError("the database went away")

        return Projection(name="tally_totals", topics=TOPICS, tables=(TALLIES, APPLIED), apply=sometimes_failing)

    async def run(self) -> None:
        readers = [Reader(self._engine, TYPES, Projector(self.projection())) for _ in range(2)]
        while any(self._next[n] < len(part) for n, (_, _, part) in enumerate(self._parts)):
            chosen = self._random.sample(range(len(self._parts)), 2)
            await asyncio.gather(*(self._slice(reader, n) for reader, n in zip(readers, chosen, strict=True)))

    async def _slice(self, reader: Reader, n: int) -> None:
        topic, partition, part = self._parts[n]
        if self._random.random() < 0.1:
            self._next[n] = self._random.randint(0, self._next[n])  # a restart, an offset that was only a hint
        records = part[self._next[n] : self._next[n] + self._random.randint(1, 4)]
        if not records:
            return
        try:
            await reader.process(topic, partition, records)
        except ConnectionResetError:
            return
        self._next[n] += len(records)


def publish(seed: int, events: int) -> list[Log]:
    """Two logs: a few streams each; now and then a relay sends a run of records once more."""
    rnd, logs = random.Random(seed), [Log(topic, PARTITIONS) for topic in TOPICS]
    for log in logs:
        sent: dict[int, list[FakeRecord]] = defaultdict(list)
        for _ in range(events):
            record = log.append(f"tally-{log.topic[:4]}{rnd.randrange(4)}", Counted(step=rnd.randint(1, 9)))
            sent[record.partition].append(record)
            if rnd.random() < 0.1:
                for again in sent[record.partition][-3:]:
                    log.again(again)
    return logs


def fold(logs: Sequence[Log]) -> dict[str, tuple[int, int]]:
    """The independent answer: each position once, in order, in memory."""
    rows: dict[str, tuple[int, int]] = {}
    for log in logs:
        seen: set[bytes] = set()
        for record in (r for part in log.records.values() for r in part):
            headers = dict(record.headers)
            if headers["ce_position"] in seen:
                continue
            seen.add(headers["ce_position"])
            event: Any = TYPES.decode(headers["ce_type"].decode(), record.value or b"")
            stream = headers["ce_subject"].decode()
            total, version = rows.get(stream, (0, 0))
            assert int(headers["ce_sequence"]) == version + 1
            rows[stream] = (total + event.step, version + 1)
    return rows


async def rows_of(engine: AsyncEngine) -> dict[str, tuple[int, int]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("select tally, total, version, disorder from tallies"))
        found = rows.all()
    assert all(row.disorder == 0 for row in found)
    return {row.tally: (row.total, row.version) for row in found}


async def once_each(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        counted = await connection.execute(text("select count(*) from applied"))
        return counted.scalar_one() == sum(version for _, version in (await rows_of(engine)).values())


async def test_any_interleaving_gives_the_rows_of_an_independent_fold_also_after_two_rebuilds(
    database: Database,
) -> None:
    engine = await kernel_engine(database, topics=TOPICS, partitions=PARTITIONS)

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(seed=st.integers(0, 2**32), events=st.integers(1, 25))
    async def holds(seed: int, events: int) -> None:
        logs = publish(seed, events)
        for interleaving in range(3):
            delivery = Delivery(engine, logs, seed + interleaving)
            await start_over(engine)
            await delivery.run()
            assert await rows_of(engine) == fold(logs)
            assert await once_each(engine)

    await _run_in_this_loop(holds)
    await engine.dispose()


async def _run_in_this_loop(test: Any) -> None:
    """Hypothesis calls synchronously; the engine belongs to this loop, so the examples run in a thread beside it."""
    loop = asyncio.get_running_loop()
    inner = test.hypothesis.inner_test

    def call(*args: Any, **kwargs: Any) -> None:
        asyncio.run_coroutine_threadsafe(inner(*args, **kwargs), loop).result()

    test.hypothesis.inner_test = call
    await asyncio.to_thread(test)
