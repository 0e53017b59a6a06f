"""A rebuild of the goal tree while goals are written and asked for: its rate, and how long a query waits at the switch.

`python -m benchmarks.rebuild [EVENTS] [embedded|apache]`. Who writes and asks is a process of its own, as an api is.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.goal_log import EVENTS_A_GOAL, fill, goal_id, measure_again
from launcher import postgres
from launcher.brokers import apache, embedded
from launcher.brokers.broker import Broker
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from services.goals.projections import goal_tree, readable_goals
from shared.eventsourcing import build_acts, builds
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.rebuild import Rebuilds, Surroundings
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.schema import PARTITIONS
from shared.eventsourcing.subscription import Subscription
from shared.runtime.migration import migrate
from shared.schemas.goals import TOPIC, TYPES
from shared.schemas.identifiers import SYSTEM

_ASKERS: Final = 4
_WRITES_A_SECOND: Final = 50
_APPLIED: Final = "select coalesce(sum(next_offset), 0)::bigint from checkpoints where reader = 'goal_tree'"


async def measure(url: str, broker: Broker, events: int) -> None:
    """Print what a rebuild over so many events costs those who write and ask meanwhile."""
    engine, goals = create_engine(url), events // EVENTS_A_GOAL
    kafka = Kafka(
        bootstrap=broker.bootstrap,
        idempotence=broker.idempotent_producer,
        assignment="group" if broker.consumer_groups else "fixed",
    )
    began = time.monotonic()
    await fill(engine, goals)
    print(f"  {events:,} events of {goals:,} goals stored in {time.monotonic() - began:.0f} s", flush=True)
    async with _worker(engine, kafka):
        began = time.monotonic()
        await _until_applied(engine, events)
        print(f"  read by what serves at {events / (time.monotonic() - began):,.0f} events/s", flush=True)
        await _rebuild(engine, url, goals)
    await engine.dispose()


async def _until_applied(engine: AsyncEngine, events: int) -> None:
    """Polled: another part of the process moves the checkpoints."""
    applied = 0
    while applied < events:
        await asyncio.sleep(0.5)
        applied = await _number(engine, _APPLIED)


async def _rebuild(engine: AsyncEngine, url: str, goals: int) -> None:
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.rebuild", "--client", url, str(goals), stdout=subprocess.PIPE
    )
    await asyncio.sleep(5)
    began = time.monotonic()
    begun = await build_acts.request(engine, goal_tree.PROJECTION, by=SYSTEM, require_equal=True)
    serving = await _serving(engine)
    while serving.build != begun.build:
        await asyncio.sleep(0.02)
        serving = await _serving(engine)
    switched = time.monotonic()
    await asyncio.sleep(5)
    client.terminate()
    output, _ = await client.communicate()
    _say(json.loads(output), serving.comparison or {}, began=began, switched=switched)


async def _serving(engine: AsyncEngine) -> builds.Build:
    async with engine.begin() as connection:
        return (await builds.read(connection, goal_tree.PROJECTION)).serving


def _say(client: dict[str, Any], comparison: dict[str, Any] | Any, *, began: float, switched: float) -> None:
    for table in comparison["tables"]:
        print(f"  {table['name']}: {table['rows']['new']:,} rows, checksums {table['checksum']}: {table['equal']}")
    events = client["first_position"] + client["written"]
    print(f"  rebuilt, compared and switched in {switched - began:.1f} s: {events / (switched - began):,.0f} events/s")
    told = f"{client['written']:,} written, {client['asked']:,} queries asked, {client['failed']} of them failed"
    print(f"  meanwhile {told}")
    for name, span in (
        ("before", (0.0, began)),
        ("rebuilding", (began, switched - 2)),
        ("switch", (switched - 2, 1e18)),
    ):
        waits = sorted(wait for at, wait in client["waits"] if span[0] <= at < span[1])
        if waits:
            half, most = waits[len(waits) // 2], waits[-1]
            print(f"  a query, {name}: median {half * 1000:.1f} ms, longest {most * 1000:.1f} ms of {len(waits):,}")


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


async def _number(engine: AsyncEngine, query: str) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(text(query))).scalar_one()


async def _client(url: str, goals: int) -> None:
    """Write and ask until told to stop, then say how long each query took and when it was asked."""
    engine, over = create_engine(url, pool_size=_ASKERS + 2), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, over.set)
    said: dict[str, Any] = {"waits": [], "failed": 0, "written": 0}
    said["first_position"] = await _number(engine, "select max(position) from events")

    async def ask(number: int) -> None:
        while not over.is_set():
            number, began = (number + 7) % goals, time.monotonic()
            try:
                async with engine.connect() as connection:
                    found = await readable_goals.find(connection, goal_id(number))
                said["failed"] += found is None
            except Exception:  # noqa: BLE001 - counted
                said["failed"] += 1
            said["waits"].append((began, time.monotonic() - began))
            await asyncio.sleep(0.005)

    async def write() -> None:
        versions: dict[int, int] = {}
        while not over.is_set():
            number = (said["written"] * 13) % goals
            versions[number] = await measure_again(engine, number, versions.get(number, EVENTS_A_GOAL))
            said["written"] += 1
            await asyncio.sleep(1 / _WRITES_A_SECOND)

    await asyncio.gather(write(), *(ask(number) for number in range(_ASKERS)))
    print(json.dumps(said | {"asked": len(said["waits"])}))


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--client"]:
        asyncio.run(_client(arguments[1], int(arguments[2])))
        return
    events = int(arguments[0]) if arguments else 20_000
    kind = arguments[1] if len(arguments) > 1 else "embedded"
    with tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder:
        server = postgres.start(Path(folder) / "postgres")
        broker = {"embedded": embedded, "apache": apache}[kind].start(Path(folder) / "kafka")
        print(f"a rebuild of goal_tree over {events:,} events, on the broker {broker.kind}")
        try:
            asyncio.run(_prepared(server, broker, events))
        finally:
            broker.stop()
            server.stop()


async def _prepared(server: postgres.PostgresServer, broker: Broker, events: int) -> None:
    administrator = await asyncpg.connect(server.dsn())
    await administrator.execute("create database keys")
    await administrator.close()
    await migrate("goals", server.url(), server.url("keys"))
    await create_topics(broker.bootstrap, [Topic(TOPIC, PARTITIONS)])
    await measure(server.url(), broker, events)


if __name__ == "__main__":
    main(sys.argv[1:])
