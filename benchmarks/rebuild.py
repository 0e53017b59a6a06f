"""A rebuild of the goal tree while goals are written and asked for: its rate, and how long a query waits at the switch.

`python -m benchmarks.rebuild [EVENTS] [embedded|apache]` measures one. Who writes and asks is a process of its own, as
an api is.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import results
from benchmarks.goal_log import EVENTS_A_GOAL, fill
from benchmarks.measuring import REPETITIONS, Better, Series, held_against
from benchmarks.question import Answer, Asked, Question
from benchmarks.servers import Servers
from launcher.brokers import apache, embedded
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from services.goals.projections import goal_tree
from shared.eventsourcing import build_acts, builds
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.rebuild import Rebuilds, Surroundings
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.subscription import Subscription
from shared.runtime.collection import collect_seldom
from shared.runtime.event_loops import stream_loop
from shared.schemas.goals import TOPIC, TYPES
from shared.schemas.identifiers import SYSTEM
from shared.schemas.partitions import PARTITIONS

_BEFORE_SECONDS: Final = 3.0
_AROUND_SECONDS: Final = 1.0
"""Before and after the switch: queries asked then may have waited for it."""
_READ: Final = text("select coalesce(sum(next_offset), 0)::bigint from checkpoints where reader = :reader")


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """One rebuild, by the monotonic clock. `filled`: it had read all that had been there when it began."""

    events: int
    began: float
    first: float
    filled: float
    switched: float
    equal: bool

    @property
    def rate(self) -> float:
        """Events a second while it was filled."""
        return self.events / (self.filled - self.first)

    @property
    def altogether(self) -> float:
        """Events a second from the request to the switch."""
        return self.events / (self.switched - self.began)


async def measure(servers: Servers, kafka: Kafka, *, events: int, repetitions: int, progress: Progress) -> Answer:
    """Rebuild the same tree again and again; each build replaces the one before it."""
    collect_seldom()
    async with servers.service_databases("goals") as (data, _):
        url = servers.postgres.url(data)
        engine, goals = create_engine(url), events // EVENTS_A_GOAL
        await create_topics(kafka.bootstrap, [Topic(TOPIC, PARTITIONS)])
        task = progress.add_task("rebuild: filling the store", total=repetitions + 1)
        await fill(engine, goals)
        async with _worker(engine, kafka):
            progress.update(task, description="rebuild: the first reading")
            served = await _read_at(engine, events)
            progress.advance(task)
            async with _clients(url, goals) as said:
                rebuilt: list[_Rebuilt] = []
                for _ in range(repetitions):
                    progress.update(task, description="rebuild: beside what serves")
                    await asyncio.sleep(_BEFORE_SECONDS)
                    rebuilt.append(await _rebuild(engine))
                    progress.advance(task)
                await asyncio.sleep(_AROUND_SECONDS)
        await engine.dispose()
    return _answer(rebuilt, said, served=served, events=events)


async def _read_at(engine: AsyncEngine, events: int) -> float:
    """Events a second that are published and applied by what serves."""
    began, read = time.monotonic(), 0
    while read < events:
        await asyncio.sleep(0.1)
        read = await _read_by(engine, "goal_tree")
    return events / (time.monotonic() - began)


async def _read_by(engine: AsyncEngine, reader: str) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(_READ, {"reader": reader})).scalar_one()


async def _rebuild(engine: AsyncEngine) -> _Rebuilt:
    events = await _read_by(engine, "goal_tree")
    began = time.monotonic()
    begun = await build_acts.request(engine, goal_tree.PROJECTION, by=SYSTEM, require_equal=True)
    read, first, filled, serving = 0, 0.0, 0.0, await _serving(engine)
    while serving.build != begun.build:
        if not filled:
            read = await _read_by(engine, begun.name)
        first = first or (time.monotonic() if read else 0.0)
        filled = filled or (time.monotonic() if read >= events else 0.0)
        await asyncio.sleep(0.02)
        serving = await _serving(engine)
    switched = time.monotonic()
    return _Rebuilt(events, began, first, filled or switched, switched, bool((serving.comparison or {}).get("equal")))


async def _serving(engine: AsyncEngine) -> builds.Build:
    async with engine.begin() as connection:
        return (await builds.read(connection, goal_tree.PROJECTION)).serving


def _answer(rebuilt: Sequence[_Rebuilt], said: dict[str, Any], *, served: float, events: int) -> Answer:
    if not all(one.equal for one in rebuilt):
        raise RuntimeError("a rebuild gave other rows than those that served")
    spans = [(one.switched - _AROUND_SECONDS, one.switched + _AROUND_SECONDS) for one in rebuilt]
    at_the_switch = [_longest(said, *span) for span in spans]
    filling = Series("filled from offset 0", "events/s", tuple(one.rate for one in rebuilt))
    altogether = Series("from the request to the switch", "events/s", tuple(one.altogether for one in rebuilt))
    switch = Series("longest query around the switch", "ms", tuple(at_the_switch))
    meanwhile = Series(
        "longest query before that", "ms", tuple(_longest(said, one.began, one.filled) for one in rebuilt)
    )
    comparisons = [
        held_against("filled from offset 0, one process", filling, 40_000, better=Better.HIGHER),
        held_against("longest query around the switch", switch, 50, better=Better.LOWER),
    ]
    notes = [
        f"published and read by what serves at first: {results.number(served)} events/s, in one process",
        f"meanwhile {said['written']:,} events written, {len(said['waits']):,} queries asked, {said['failed']} failed",
        "every rebuild gave the same rows as those that served: checksums equal",
    ]
    return Answer([filling, altogether, switch, meanwhile], comparisons, {"events": events}, notes)


def _longest(said: dict[str, Any], since: float, until: float) -> float:
    """Of the queries that were asked then, in milliseconds."""
    return max((wait * 1_000 for at, wait in said["waits"] if since <= at < until), default=0.0)


@asynccontextmanager
async def _clients(url: str, goals: int) -> AsyncGenerator[dict[str, Any]]:
    """Who writes and asks meanwhile; what it said is there after the block."""
    said: dict[str, Any] = {}
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.rebuild_client", url, str(goals), stdout=subprocess.PIPE
    )
    try:
        yield said
    finally:
        client.terminate()
        output, _ = await client.communicate()
    said.update(json.loads(output))


@asynccontextmanager
async def _worker(engine: AsyncEngine, kafka: Kafka) -> AsyncGenerator[None]:
    """What a worker of the goals service runs of this."""
    broker = kafka.broker()
    reader = Reader(engine, TYPES, Projector(goal_tree.PROJECTION))
    live = Subscription(kafka, broker, reader, group="goals.goal_tree", partitions=PARTITIONS)
    around = Surroundings(engine=engine, kafka=kafka, types=TYPES, service="goals", topic=TOPIC, partitions=PARTITIONS)
    rebuilds = Rebuilds(around, [goal_tree.PROJECTION])
    relay = Relay(engine, kafka, topic=TOPIC, source="/trellis/goals", owner="benchmark")
    await broker.connect()
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(rebuilds.run())]
    await live.start()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await rebuilds.stop()
        await live.stop()
        await broker.stop()


async def answered(asked: Asked) -> Answer:
    """The goal tree of a service that goes on serving."""
    servers, events = asked.servers, asked.size(1_000_000)
    return await measure(servers, servers.kafka, events=events, repetitions=REPETITIONS, progress=asked.progress)


QUESTION: Final = Question("rebuild", "how fast a read model is built anew, and how long queries wait for it", answered)


def main(events: int, kind: str) -> None:
    """One rebuild, on a broker of choice."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder, ExitStack() as stack:
        broker = {"embedded": embedded, "apache": apache}[kind].start(Path(folder) / "kafka")
        stack.callback(broker.stop)
        kafka = Kafka(
            bootstrap=broker.bootstrap,
            idempotence=broker.idempotent_producer,
            assignment="group" if broker.consumer_groups else "fixed",
        )
        progress = Progress(console=console, disable=not sys.stdout.isatty())
        servers = Servers(Path(folder), stack)
        with progress, asyncio.Runner(loop_factory=stream_loop) as runner:
            answer = runner.run(measure(servers, kafka, events=events, repetitions=1, progress=progress))
        results.show(QUESTION, answer, console)


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    main(int(given.get(1, "20000")), given.get(2, "embedded"))
