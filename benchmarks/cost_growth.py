"""What an event costs, and a process in memory, as a log grows: each size an installation, measured in turns."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from itertools import chain
from statistics import median
from typing import Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import grown_log
from benchmarks.http_client import connected
from benchmarks.measuring import Better, Comparison, Contender, Series, compared, take_turns
from benchmarks.processes import Issuer, Running, cpu_seconds, issuing, role, settings_of
from benchmarks.progress_load import engine_of
from benchmarks.question import Answer, Asked, Question
from benchmarks.settling import published, settled
from launcher.brokers import apache
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.eventsourcing.append import Append
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.store import EventStore
from shared.schemas.goals import TOPIC, TYPES

_LIMIT: Final = 1.15
_PER_EVENT: Final = "us/event"
_ACTIVE_GOALS: Final = 1_000
"""The newest: a company works on this year's goals, however many there were before."""
_AT_ONCE: Final = 200
_QUERIES: Final = 500
_ACTIVE: Final = "select stream, version from streams where stream like 'goal-%' order by stream desc limit $1"
_ANY: Final = "select stream from streams where stream like 'goal-%' order by stream"


@dataclass(slots=True)
class _Measured:
    """What a round costs beside the append: us an event (to the end, and of the processor), ms a query, and MiB."""

    relay: list[float] = field(default_factory=list[float])
    projection: list[float] = field(default_factory=list[float])
    processor: list[float] = field(default_factory=list[float])
    query: list[float] = field(default_factory=list[float])
    memory: dict[str, list[float]] = field(default_factory=lambda: {"api": [], "worker": []})


@dataclass(slots=True)
class _Installation:
    """A goals service whose log has `events` events."""

    events: int
    engine: AsyncEngine
    database: asyncpg.Connection
    token: str
    api: Running
    worker: Running
    draw: random.Random
    versions: dict[str, int]
    goals: Sequence[str]
    measured: _Measured = field(default_factory=_Measured)


async def answered(asked: Asked) -> Answer:
    """Each size has databases, a broker, an api and a worker of its own; they take turns."""
    sizes = [10_000, 100_000, 1_000_000, *([10_000_000] if asked.full else [])]
    each = 10_000 if asked.full else 5_000
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(issuing(asked.folder))
        installed = [await stack.enter_async_context(_installed(asked, issuer, events)) for events in sizes]
        for one in installed:
            await _round(one, each)  # what is loaded, prepared and cached once
            one.measured = _Measured()
        contenders = [Contender(f"append, {_of(one)}", _PER_EVENT, partial(_round, one, each)) for one in installed]
        appended = await take_turns(contenders, progress=asked.progress, what="cost_growth")
        stored = await installed[-1].database.fetchval("select pg_database_size(current_database())") or 0
    by_thing = zip(*(_series(one) for one in installed), strict=True)
    series = [*appended, *chain.from_iterable(by_thing)]
    sizes_told: dict[str, int | float] = {
        "events_a_round": each,
        "queries_a_round": _QUERIES,
        "active_goals": _ACTIVE_GOALS,
    }
    bytes_told = f"{stored / sizes[-1]:,.0f} bytes an event in PostgreSQL, with its indexes and the read models"
    return Answer(series, _comparisons(series, installed), sizes_told, [bytes_told])


def _of(one: _Installation) -> str:
    return f"{one.events:,} events stored"


def _series(one: _Installation) -> list[Series]:
    measured = one.measured
    found = [
        ("relay", _PER_EVENT, measured.relay),
        ("relay and projections", _PER_EVENT, measured.projection),
        ("the worker's processor time", _PER_EVENT, measured.processor),
        ("a query, p50", "ms", measured.query),
        *((f"memory of the {name}", "MiB", values) for name, values in measured.memory.items()),
    ]
    return [Series(f"{what}, {_of(one)}", unit, tuple(values)) for what, unit, values in found]


def _comparisons(series: Sequence[Series], installed: Sequence[_Installation]) -> list[Comparison]:
    """The largest log beside the smallest, thing by thing."""
    least, most = _of(installed[0]), _of(installed[-1])
    by_name = {one.name: one for one in series}
    things = [one.name.removesuffix(f", {least}") for one in series if one.name.endswith(least)]
    return [
        compared(
            f"{thing}: {most}, beside {least}",
            by_name[f"{thing}, {most}"],
            by_name[f"{thing}, {least}"],
            goal=_LIMIT,
            better=Better.LOWER,
        )
        for thing in things
    ]


@asynccontextmanager
async def _installed(asked: Asked, issuer: Issuer, events: int) -> AsyncGenerator[_Installation]:
    servers, folder = asked.servers, asked.folder / str(events)
    folder.mkdir()
    async with AsyncExitStack() as stack:
        broker = await asyncio.to_thread(apache.start, folder / "kafka")
        stack.callback(broker.stop)
        await create_topics(broker.bootstrap, TOPICS)
        databases = await stack.enter_async_context(servers.service_databases("goals"))
        engine = await stack.enter_async_context(engine_of(servers.postgres.url(databases[0])))
        database = await asyncpg.connect(servers.postgres.dsn(databases[0]))
        stack.push_async_callback(database.close)
        settings = settings_of(servers, databases, issuer, kafka=False)
        settings["TRELLIS_KAFKA_BOOTSTRAP"] = broker.bootstrap
        await grown_log.write_tree(engine)
        async with role("goals", "worker", settings, folder):
            await settled(database, TOPIC)
        await grown_log.grow(servers.postgres.dsn(databases[0]), events)
        kafka = Kafka(bootstrap=broker.bootstrap, idempotence=True, assignment="group")
        await grown_log.seem_published(servers.postgres.dsn(databases[0]), kafka)
        api = await stack.enter_async_context(role("goals", "api", settings, folder))
        worker = await stack.enter_async_context(role("goals", "worker", settings, folder))
        versions = {row["stream"]: row["version"] for row in await database.fetch(_ACTIVE, _ACTIVE_GOALS)}
        goals = [row["stream"].removeprefix("goal-") for row in await database.fetch(_ANY)]
        token, draw = issuer.token(grown_log.OWNER), random.Random(asked.seed)
        yield _Installation(events, engine, database, token, api, worker, draw, versions, goals)


async def _round(one: _Installation, events: int) -> float:
    """Append while the worker is stopped, then let it go on; us an event. The rest of the round is in `measured`."""
    used = cpu_seconds(one.worker.process)
    one.worker.process.suspend()
    try:
        per_event = await _appended(one, events)
    finally:
        one.worker.process.resume()
    began = time.perf_counter()
    one.measured.relay.append((await published(one.database) - began) / events * 1e6)
    one.measured.projection.append((await settled(one.database, TOPIC) - began) / events * 1e6)
    one.measured.processor.append((cpu_seconds(one.worker.process) - used) / events * 1e6)
    one.measured.query.append(await _asked(one))
    one.measured.memory["api"].append(one.api.memory)
    one.measured.memory["worker"].append(one.worker.memory)
    return per_event


async def _appended(one: _Installation, events: int) -> float:
    """The active goals are measured in turn, a statement for two hundred of them, as group commit does."""
    store = EventStore(one.engine, TYPES)
    streams, taken, done = sorted(one.versions), 0.0, 0
    while done < events:
        chosen = [streams[(done + place) % len(streams)] for place in range(_AT_ONCE)]
        appends = [
            Append(
                stream=stream,
                expected=one.versions[stream],
                events=await store.prepare([(grown_log.measured(one.versions[stream] % 100), grown_log.metadata())]),
            )
            for stream in chosen
        ]
        began = time.perf_counter()
        async with one.engine.connect() as connection:
            await store.append(connection, appends)
        taken += time.perf_counter() - began
        one.versions.update({stream: one.versions[stream] + 1 for stream in chosen})
        done += _AT_ONCE
    return taken / done * 1e6


async def _asked(one: _Installation) -> float:
    """The median of queries for goals from all over the log, ms."""
    taken: list[float] = []
    async with connected(one.api.port) as client:
        for goal in one.draw.choices(one.goals, k=_QUERIES):
            began = time.perf_counter()
            answer = await client.ask("GET", f"/goals/v1/goals/{goal}", one.token)
            taken.append(1000 * (time.perf_counter() - began))
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"{answer.status}: {answer.body!r}")
    return median(taken)


QUESTION: Final = Question("cost_growth", "what an event costs as the log grows, and each process in memory", answered)
