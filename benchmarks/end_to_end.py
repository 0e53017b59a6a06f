"""How long after an HTTP command a query shows it, through the store, the relay, Kafka and a projection."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from statistics import median
from typing import Any, Final

import asyncpg
import psutil

from benchmarks.measuring import Better, Comparison, Contender, Series, quantile, take_turns
from benchmarks.processes import cpu_seconds, issuing, ran, role, settings_of
from benchmarks.progress_load import ProgressLoad, engine_of, goals_set
from benchmarks.question import Answer, Asked, Question
from benchmarks.settling import settled
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.schemas.goals import TOPIC

_MANY: Final = 64
_UNIT: Final = "ms"
_MOST_PAUSE_SECONDS: Final = 0.1
_QUIET_SECONDS: Final = 1.3
"""Longer than the relay takes to fall into its quiet pace."""
_BETWEEN_QUIET: Final = 10
"""Probes, of which one comes after a quiet time."""
_LEAD_SECONDS: Final = 0.5
"""Of the load before the first probe, and behind the last."""
_THROUGHPUT_RUNS: Final = 3


@dataclass(slots=True)
class _Way:
    """One way of asking, idle or under load, and the milliseconds of its probes, a list a round."""

    name: str
    with_token: bool
    loaded: bool
    rounds: list[list[float]] = field(default_factory=list[list[float]])

    def series(self, share: float) -> Series:
        return Series(f"{self.name}, p{share * 100:.0f}", _UNIT, tuple(quantile(one, share) for one in self.rounds))

    def held_against(self, share: float, limit: float) -> Comparison:
        """The quantile over the probes of all rounds: those of one round are too few for a p99."""
        ours = quantile(list(chain.from_iterable(self.rounds)), share)
        rounds = self.series(share)
        return Comparison(rounds.name, ours, None, _UNIT, None, limit, Better.LOWER, spread=rounds.spread)


@dataclass(frozen=True, slots=True)
class _Installation:
    """The goals service with its api and its worker; the load moves some goals, the probes others."""

    port: int
    processes: dict[str, psutil.Process]
    load: ProgressLoad
    probed: ProgressLoad
    database: asyncpg.Connection


async def answered(asked: Asked) -> Answer:
    """Half load is half of what the same installation answers at 64 clients, measured first."""
    idle, loaded = (30.0, 20.0) if asked.full else (4.0, 3.0)
    ways = [
        _Way(f"{load}, {how}", with_token, is_loaded)
        for is_loaded, load in ((False, "idle"), (True, "half load"))
        for with_token, how in ((True, "with the token"), (False, "asking again"))
    ]
    async with _installed(asked) as here:
        throughput = await _throughput(here, seconds=loaded)
        draw, used = random.Random(asked.seed), dict[str, float]()
        asking = partial(_probe, here, draw=draw, rate=throughput / 2, used=used)
        contenders = [
            Contender(way.name, _UNIT, partial(asking, way, seconds=loaded if way.loaded else idle)) for way in ways
        ]
        await take_turns(contenders, progress=asked.progress, what="end_to_end")
    series = [way.series(share) for way in ways for share in (0.5, 0.99)]
    probes = sum(len(one) for way in ways for one in way.rounds)
    sizes = {"probes": probes, "commands_per_second": throughput, "half_load": throughput / 2}
    shares = ", ".join(f"{name} {share:.0%}" for name, share in used.items())
    return Answer(series, _comparisons(ways), sizes, [f"at half load, last run, of one core: {shares}"])


def _comparisons(ways: Sequence[_Way]) -> list[Comparison]:
    idle = [
        way.held_against(share, limit) for way in ways if not way.loaded for share, limit in ((0.5, 30), (0.99, 150))
    ]
    return [*idle, *(way.held_against(0.99, 500) for way in ways if way.loaded)]


@asynccontextmanager
async def _installed(asked: Asked) -> AsyncGenerator[_Installation]:
    servers, folder = asked.servers, asked.folder
    async with servers.service_databases("goals") as databases, issuing(folder) as issuer:
        await create_topics(servers.broker.bootstrap, TOPICS)
        async with engine_of(servers.postgres.url(databases[0])) as engine:
            load, probed = await goals_set(engine, issuer, 1_000), await goals_set(engine, issuer, 200)
        settings = settings_of(servers, databases, issuer, kafka=True)
        async with role("goals", "api", settings, folder) as api, role("goals", "worker", settings, folder) as worker:
            database = await asyncpg.connect(servers.postgres.dsn(databases[0]))
            processes = {
                "the api": api.process,
                "the worker": worker.process,
                "PostgreSQL": psutil.Process(servers.postgres.process.pid),
                "Kafka": psutil.Process(_broker_process(servers.broker)),
            }
            await settled(database, TOPIC)
            yield _Installation(api.port, processes, load, probed, database)
            await database.close()


def _broker_process(broker: Any) -> int:
    return broker.process.pid


async def _throughput(here: _Installation, *, seconds: float) -> float:
    """Commands a second, as fast as answers come; what they leave to be read is waited for."""
    found: list[float] = []
    for _ in range(_THROUGHPUT_RUNS):
        found.append((await here.load.sent(here.port, clients=_MANY, seconds=seconds))["per_second"])
        await settled(here.database, TOPIC)
    return median(found)


async def _probe(
    here: _Installation, way: _Way, *, draw: random.Random, seconds: float, rate: float, used: dict[str, float]
) -> float:
    probing = ran("benchmarks.probe", _task(here, draw, seconds, with_token=way.with_token, quiet=not way.loaded))
    if not way.loaded:
        told = await probing
    else:
        before = {name: cpu_seconds(process) for name, process in here.processes.items()}
        loading = here.load.sent(here.port, clients=_MANY, seconds=seconds + 2 * _LEAD_SECONDS, rate=rate)
        told, load = await asyncio.gather(_later(probing), loading)
        taken = load["answered"] / load["per_second"]
        used |= {name: (cpu_seconds(process) - before[name]) / taken for name, process in here.processes.items()}
        await settled(here.database, TOPIC)
    way.rounds.append([1000 * one for one in told["seconds"]])
    return median(way.rounds[-1])


async def _later(probing: Any) -> dict[str, Any]:
    await asyncio.sleep(_LEAD_SECONDS)
    return await probing


def _task(here: _Installation, draw: random.Random, seconds: float, *, with_token: bool, quiet: bool) -> dict[str, Any]:
    pauses = [draw.uniform(0, _MOST_PAUSE_SECONDS) for _ in range(1_000)]
    if quiet:
        pauses[_BETWEEN_QUIET - 1 :: _BETWEEN_QUIET] = [_QUIET_SECONDS] * (len(pauses) // _BETWEEN_QUIET)
    return {
        "port": here.port,
        "goals": [(str(goal), token) for goal, token in here.probed.goals],
        "first_value": here.probed.first_value(),
        "seconds": seconds,
        "pauses": pauses,
        "with_token": with_token,
    }


QUESTION: Final = Question("end_to_end", "how long after an HTTP command a query shows it", answered)
