"""How many commands a second one api process answers, beside FastAPI alone with the same body and token."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import psutil
from sqlalchemy import text

from benchmarks.bare_api import TABLE
from benchmarks.measuring import Comparison, Contender, Series, compared, take_turns
from benchmarks.processes import Running, cpu_seconds, issuing, role, running, settings_of
from benchmarks.progress_load import PATH, ProgressLoad, engine_of, goals_set
from benchmarks.question import Answer, Asked, Question
from launcher.process import free_port

CONNECTIONS: Final = 10
"""To the database: as many as a service's engine has, for the bare handler too."""
_UNIT: Final = "commands/s"
_MANY: Final = 64
_OURS, _INSERTING, _BARE = "trellis", "FastAPI with a raw insert", "FastAPI without insert"


@dataclass(slots=True)
class _Api:
    """An api process under load, and what the last run of it cost: processor seconds a second."""

    name: str
    running: Running
    path: str
    keys: bool = False
    used: dict[str, float] = field(default_factory=dict[str, float])


async def answered(asked: Asked) -> Answer:
    """Progress is recorded on goals that are set already, each by its owner, over kept connections."""
    seconds, goals = (10.0, 10_000) if asked.full else (2.0, 1_000)
    servers, folder = asked.servers, asked.folder
    async with servers.service_databases("goals") as databases, issuing(folder) as issuer:
        async with engine_of(servers.postgres.url(databases[0])) as engine:
            load = await goals_set(engine, issuer, goals)
            async with engine.begin() as connection:
                await connection.execute(text(TABLE))
        settings = settings_of(servers, databases, issuer, kafka=False)
        port, dsn = free_port(), servers.postgres.dsn(databases[0])
        module = ("benchmarks.bare_api", str(port), dsn, issuer.jwks_url, str(CONNECTIONS))
        async with (
            role("goals", "api", settings, folder) as api,
            running(module, port, log=folder / "bare.log") as bare,
        ):
            apis = [
                _Api(_OURS, api, PATH),
                _Api(_INSERTING, bare, "/inserting/goals/{goal}/progress"),
                _Api(_BARE, bare, "/bare/goals/{goal}/progress"),
                _Api(f"{_OURS}, with an Idempotency-Key", api, PATH, keys=True),
            ]
            measured = partial(_per_second, load, servers.postgres.process.pid, seconds=seconds)
            for one in apis:  # what is loaded, opened and fetched once
                await load.sent(one.running.port, path=one.path, clients=_MANY, seconds=1, keys=one.keys)
            contenders = [
                Contender(_named(one.name, clients), _UNIT, partial(measured, one, clients))
                for clients in (1, _MANY)
                for one in apis
            ]
            series = await take_turns(contenders, progress=asked.progress, what="http_commands")
    return Answer(series, _comparisons(series), {"seconds": seconds, "goals": goals}, [_cost(one) for one in apis])


async def _per_second(load: ProgressLoad, postmaster: int, one: _Api, clients: int, *, seconds: float) -> float:
    server = psutil.Process(postmaster)
    before = cpu_seconds(one.running.process), cpu_seconds(server)
    told = await load.sent(one.running.port, path=one.path, clients=clients, seconds=seconds, keys=one.keys)
    after = cpu_seconds(one.running.process), cpu_seconds(server)
    taken = told["answered"] / told["per_second"]
    one.used = {
        "the api process": (after[0] - before[0]) / taken,
        "PostgreSQL": (after[1] - before[1]) / taken,
        "the load generator": told["cpu_seconds"] / taken,
    }
    return told["per_second"]


def _named(name: str, clients: int) -> str:
    return f"{name}, {clients} client{'s' if clients > 1 else ''}"


def _comparisons(series: Sequence[Series]) -> list[Comparison]:
    by_name = {one.name: one for one in series}

    def beside(other: str, clients: int, goal: float) -> Comparison:
        return compared(
            f"one api process, {clients} client{'s' if clients > 1 else ''}, beside {other}",
            by_name[_named(_OURS, clients)],
            by_name[_named(other, clients)],
            goal=goal,
        )

    return [beside(_BARE, _MANY, 0.5), beside(_INSERTING, 1, 0.8), beside(_INSERTING, _MANY, 1.0)]


def _cost(one: _Api) -> str:
    shares = ", ".join(f"{who} {share:.0%}" for who, share in one.used.items())
    return f"{one.name}, last run at {_MANY} clients, of one core: {shares}"


QUESTION: Final = Question("http_commands", "how many commands a second one api process answers over HTTP", answered)
