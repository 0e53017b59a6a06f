"""`python -m benchmarks.event_time [EVENTS]`: where the time of one event goes on its way from Kafka into a read model.

The reader is the one that workers run. What it calls is given to it wrapped, and each step ends where the next begins.
"""

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benchmarks import measurements
from benchmarks.goal_topic import publish, read_by_both, stored_goals
from benchmarks.servers import Servers, serving
from services.goals.projections import goal_tree
from shared.eventsourcing.checkpoints import Checkpoint
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.progress import Progress
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.subscription import Subscription
from shared.eventsourcing.walk import Part, Record, Walk, walk
from shared.runtime.collection import collect_seldom
from shared.runtime.event_loops import stream_loop
from shared.schemas.goals import TYPES
from shared.schemas.partitions import PARTITIONS

_STEPS: Final = {
    "fetch": "records out of the consumer's buffers, and waiting for the broker",
    "lock": "begin, and the checkpoints' rows where several partitions are read",
    "parse": "headers into envelopes, and the chain",
    "validate": "dead letters of these streams, and JSON into events; of one partition the checkpoint moved",
    "apply": "the projection's own work and SQL",
    "checkpoint": "the checkpoints' rows moved, of several",
    "commit": "until the database has it on disk",
}


@dataclass(slots=True)
class _Steps:
    """Seconds by step: by the clock, and of this process' processor."""

    clock: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    processor: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    _since: tuple[float, float] = (0.0, 0.0)

    def begin(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def end(self, step: str) -> None:
        """What passed since the last step's end was this one."""
        now = time.perf_counter(), time.process_time()
        self.clock[step] += now[0] - self._since[0]
        self.processor[step] += now[1] - self._since[1]
        self._since = now


class _Timed:
    """A projector whose every slice ends two steps."""

    largest_slice = Projector.largest_slice

    def __init__(self, projection: Projection, steps: _Steps) -> None:
        self._projector = Projector(projection)
        self._steps = steps
        self.name, self.topics = self._projector.name, self._projector.topics
        self.events = self._projector.events

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        self._steps.end("validate")
        await self._projector.apply(connection, events)
        self._steps.end("apply")


def _reader(engine: AsyncEngine, projection: Projection, steps: _Steps) -> Reader:
    def followed(checkpoint: Checkpoint, records: Sequence[Record]) -> Walk:
        steps.end("lock")
        path = walk(checkpoint, records)
        steps.end("parse")
        return path

    class _Fetching(Reader):
        async def process(self, topic: str, partition: int, records: Sequence[Record]) -> Progress:
            steps.end("fetch")
            return await super().process(topic, partition, records)

        async def process_together(self, parts: Sequence[Part]) -> list[Progress] | None:
            steps.end("fetch")
            return await super().process_together(parts)

    return _Fetching(engine, TYPES, _Timed(projection, steps), follow=followed)


async def spent(engine: AsyncEngine, kafka: Kafka, projection: Projection, events: int) -> _Steps:
    """Apply a topic's events to empty tables, one slice after the other."""
    steps = _Steps()
    reader = _reader(engine, projection, steps)
    broker = kafka.broker()
    subscription = Subscription(kafka, broker, reader, group="measured", partitions=PARTITIONS)
    reader.transaction_ended = _both(reader.transaction_ended, lambda: steps.end("commit"))

    def committing(_connection: object) -> None:
        steps.end("checkpoint")

    event.listen(engine.sync_engine, "commit", committing)
    await broker.connect()
    await subscription.start()
    steps.begin()
    applied = 0
    while applied < events:
        await asyncio.sleep(0.05)
        applied = reader.counts.applied
    event.remove(engine.sync_engine, "commit", committing)
    await subscription.stop()
    await broker.stop()
    return steps


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        one()
        other()

    return call


async def measured(servers: Servers, events: int, console: Console) -> None:
    """The goal tree's table and that of a projection that only inserts."""
    collect_seldom()
    async with stored_goals(servers, events) as engine:
        topic = await servers.topic()
        await publish(engine, servers.kafka, topic, events)
        await read_by_both(engine, topic)
        for projection in (goal_tree.PROJECTION, measurements.PROJECTION):
            kafka = replace(servers.kafka, assignment="fixed")
            steps = await spent(engine, kafka, replace(projection, topics=(topic,)), events)
            console.print(_table(projection.name, steps, events))


def _table(name: str, steps: _Steps, events: int) -> Table:
    table = Table(title=f"{name}: microseconds an event, of {events:,}", title_justify="left")
    for heading in ("", "clock", "processor", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for step, meaning in _STEPS.items():
        clock, processor = steps.clock[step] / events, steps.processor[step] / events
        table.add_row(step, f"{clock * 1e6:.1f}", f"{processor * 1e6:.1f}", meaning)
    clock, processor = sum(steps.clock.values()) / events, sum(steps.processor.values()) / events
    table.add_row("together", f"{clock * 1e6:.1f}", f"{processor * 1e6:.1f}", f"{1 / clock:,.0f} events/s")
    return table


def main(events: int) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder,
        serving(Path(folder)) as servers,
        asyncio.Runner(loop_factory=stream_loop) as runner,  # as the roles of a service run
    ):
        runner.run(measured(servers, events, Console(highlight=False)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
