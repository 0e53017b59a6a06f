"""How fast a projection is filled from Kafka, beside a bare consumer that copies the same rows into the same tables."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any, Final

import asyncpg
from aiokafka import TopicPartition
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import measurements
from benchmarks.goal_topic import publish, read_by_both, stored_goals
from benchmarks.measuring import Better, Comparison, Contender, Series, compared, held_against, take_turns
from benchmarks.question import Answer, Asked, Question
from services.goals.projections import goal_tree
from shared.eventsourcing import checkpoints
from shared.eventsourcing.build_tables import SERVING, Checksum, checksums
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.subscription import Subscription
from shared.runtime.collection import collect_seldom
from shared.schemas.goals import TYPES
from shared.schemas.partitions import PARTITIONS

_UNIT: Final = "events/s"
_LOOK_SECONDS: Final = 0.01
_AT_ONCE: Final = 5_000
_LAST: Final = {
    "goal_tree": "select substr(stream, 6)::uuid, max(position) from events group by stream",
    "measurements": "select position, position from events",
}
"""Of which event each row, by its key, is the last word."""


@dataclass(slots=True)
class _Case:
    """A projection that is filled from a topic, and the rows that it was found to hold."""

    projection: Projection
    engine: AsyncEngine
    kafka: Kafka
    topic: str
    events: int
    held: Checksum | None = None
    rows: dict[int, dict[int, Any]] = field(default_factory=dict[int, dict[int, Any]])
    cpu: list[float] = field(default_factory=list[float])

    @property
    def table(self) -> Table:
        return self.projection.tables[0]


async def answered(asked: Asked) -> Answer:
    """The goal tree and a table of measurements, each filled from the first event of the same topic."""
    events = asked.size(1_000_000)
    async with stored_goals(asked.servers, events) as engine:
        topic = await asked.servers.topic()
        await publish(engine, asked.servers.kafka, topic, events)
        await read_by_both(engine, topic)
        kafka = replace(asked.servers.kafka, assignment="fixed")
        cases = [
            _Case(replace(projection, topics=(topic,)), engine, kafka, topic, events)
            for projection in (goal_tree.PROJECTION, measurements.PROJECTION)
        ]
        for case in cases:
            await _filled(case)
            case.rows = await _rows_by_place(case)
        collect_seldom()
        contenders = [
            Contender(f"{who}, {case.projection.name}", _UNIT, partial(run, case))
            for case in cases
            for who, run in (("trellis", _filled), ("consume and COPY", _copied))
        ]
        series = await take_turns(contenders, progress=asked.progress, what="projection")
    return _answer(cases, series, events)


async def _emptied(case: _Case) -> None:
    async with case.engine.begin() as connection:
        await connection.execute(text(f"truncate {case.table.name}"))
        await checkpoints.reset(connection, case.projection.name)


async def _filled(case: _Case) -> float:
    """A worker's reader, from the first event until the last slice is committed."""
    await _emptied(case)
    broker = case.kafka.broker()
    reader = Reader(case.engine, TYPES, Projector(case.projection))
    subscription = Subscription(case.kafka, broker, reader, group="measured", partitions=PARTITIONS)
    await broker.connect()
    began, used = time.monotonic(), time.process_time()
    await subscription.start()
    applied = 0
    while applied < case.events:
        await asyncio.sleep(_LOOK_SECONDS)
        applied = reader.counts.applied
    rate = case.events / (time.monotonic() - began)
    case.cpu.append((time.process_time() - used) / case.events)
    await subscription.stop()
    await broker.stop()
    await _check(case)
    return rate


async def _copied(case: _Case) -> float:
    """Read the same records, look at nothing, and copy what the projection would have made of them."""
    await _emptied(case)
    consumer = case.kafka.consumer()
    raw = await _connected(case.engine)
    columns = [column.name for column in case.table.columns]
    began, read = time.monotonic(), 0
    await consumer.start()
    consumer.assign([TopicPartition(case.topic, partition) for partition in range(PARTITIONS)])
    while read < case.events:
        for tp, records in (await consumer.getmany(timeout_ms=10, max_records=_AT_ONCE)).items():
            rows = case.rows[tp.partition]
            new = [row for record in records if (row := rows.get(record.offset)) is not None]
            await raw.copy_records_to_table(case.table.name, records=new, columns=columns)
            read += len(records)
    rate = case.events / (time.monotonic() - began)
    await consumer.stop()
    await raw.close()
    await _check(case)
    return rate


async def _check(case: _Case) -> None:
    """Whoever filled the table: it holds what the first filling made."""
    async with case.engine.connect() as connection:
        held = (await checksums(connection, [case.table], SERVING))[case.table.name]
    case.held = case.held or held
    if held != case.held:
        raise RuntimeError(f"{case.table.name} holds {held}, not {case.held}")


async def _rows_by_place(case: _Case) -> dict[int, dict[int, Any]]:
    """The rows that a filling made, by the partition and the offset of the last record that each was made of."""
    raw = await _connected(case.engine)
    last = dict(await raw.fetch(_LAST[case.table.name]))
    offsets: dict[int, int] = {}
    places: dict[int, tuple[int, int]] = {}
    for position, stream in await raw.fetch("select position, stream from events order by position"):
        partition = partition_of(stream, PARTITIONS)
        places[position] = partition, offsets.get(partition, 0)
        offsets[partition] = offsets.get(partition, 0) + 1
    rows: dict[int, dict[int, Any]] = {partition: {} for partition in range(PARTITIONS)}
    columns = ", ".join(column.name for column in case.table.columns)
    for row in await raw.fetch(f"select {columns} from {case.table.name}"):  # noqa: S608 - a table of ours
        partition, offset = places[last[row[0]]]
        rows[partition][offset] = tuple(row)
    await raw.close()
    return rows


async def _connected(engine: AsyncEngine) -> Any:
    """A connection without SQLAlchemy, which writes a json column as it comes."""
    return await asyncpg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def _answer(cases: Sequence[_Case], series: Sequence[Series], events: int) -> Answer:
    comparisons: list[Comparison] = []
    for case, (ours, bare) in zip(cases, zip(series[::2], series[1::2], strict=True), strict=True):
        comparisons += [
            held_against(f"{case.projection.name}, one process", ours, 25_000, better=Better.HIGHER),
            compared(f"{case.projection.name}, beside consume and COPY", ours, bare, goal=0.25),
        ]
    notes = [
        f"{case.projection.name}: {median(case.cpu) * 1e6:.1f} us of the worker's processor an event" for case in cases
    ]
    return Answer(series, comparisons, {"events": events, "partitions": PARTITIONS}, notes)


QUESTION: Final = Question("projection", "how many events a second one process applies to a read model", answered)
