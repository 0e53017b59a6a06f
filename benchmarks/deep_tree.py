"""How long one leaf's progress takes to be seen at the root of a deep tree, idle and under load; what a page costs."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from statistics import median
from typing import Final

import asyncpg
import httpx

from benchmarks.goal_forest import Tree, grown
from benchmarks.measuring import Better, Comparison, Contender, Series, quantile, take_turns
from benchmarks.people_import import imported
from benchmarks.processes import Issuer, Running, issuing, role, settings_of
from benchmarks.progress_load import ProgressLoad, engine_of
from benchmarks.question import Answer, Asked, Question
from benchmarks.settling import settled
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import PersonId

LEVELS: Final = 12
UPDATES_A_SECOND: Final = 500
_CLIENTS: Final = 16
_LOADED: Final = 2_000
"""Leaves that the load moves; probes move others."""
_READ_SECONDS: Final = 600.0
_UNIT: Final = "ms"
_GOALS_READ: Final = "select count(*) from goal_tree"
_PEOPLE_READ: Final = "select count(*) from people"
_EMPLOYED: Final = "select person from people where status <> 'left' order by person"
_AT_ROOT: Final = "select progress from goal_tree where goal = $1"


@dataclass(slots=True)
class _Here:
    """The goals service with its api and its worker, and a tree that its worker has read."""

    tree: Tree
    api: Running
    worker: Running
    client: httpx.AsyncClient
    database: asyncpg.Connection
    load: ProgressLoad
    issuer: Issuer
    draw: random.Random
    values: "count[int]" = field(default_factory=lambda: count(1))
    answered: list[float] = field(default_factory=list[float])
    """Updates a second that the load got answered, a run each."""
    waits: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    loaded: list[str] = field(default_factory=list[str])
    """What was told of loading it."""


Ask = Callable[[_Here, int, dict[str, str]], Awaitable[None]]
"""Told of a leaf that no load moves, and of its owner's token."""


async def answered(asked: Asked) -> Answer:
    """A probe records progress of a leaf by HTTP and asks for the root with the token of that answer."""
    goals, people, seconds = asked.size(50_000), asked.size(100_000), 8.0 if asked.full else 3.0
    async with _installed(asked, goals, people) as here:
        names = {
            "leaf to root": _leaf_to_root,
            "a page of a goal's children": _page,
        }
        contenders = [
            Contender(f"{name}, {load}, p95", _UNIT, _run(here, f"{name}, {load}", ask, seconds, loaded=loaded))
            for loaded, load in ((False, "idle"), (True, f"at {UPDATES_A_SECOND} updates/s"))
            for name, ask in names.items()
        ]
        series = await take_turns(contenders, progress=asked.progress, what="deep_tree")
        load = f"updates/s that were answered, a run each: {min(here.answered):,.0f} to {max(here.answered):,.0f}"
        memory = f"MiB of its own: api {here.api.memory:,.0f}, worker {here.worker.memory:,.0f}"
        sizes: dict[str, int | float] = {"goals": goals, "levels": LEVELS, "people": people}
        return Answer(series, _limits(here, series), sizes, [*here.loaded, *_medians(here), load, memory])


def _limits(here: _Here, series: list[Series]) -> list[Comparison]:
    """The quantile over the probes of all rounds."""
    loaded, page = f"at {UPDATES_A_SECOND} updates/s", "a page of a goal's children"
    limits = {
        "leaf to root, idle": 100.0,
        f"leaf to root, {loaded}": 500.0,
        f"{page}, idle": 50.0,
        f"{page}, {loaded}": 50.0,
    }
    return [
        Comparison(
            f"{one.name}, all rounds",
            quantile(sorted(here.waits[name := one.name.removesuffix(", p95")]), 0.95),
            None,
            _UNIT,
            None,
            limits.get(name),
            Better.LOWER,
        )
        for one in series
    ]


def _medians(here: _Here) -> list[str]:
    return [
        f"{name}: {len(waits):,} probes, median {median(waits):.1f} ms, longest {max(waits):.1f} ms"
        for name, waits in here.waits.items()
    ]


def _run(here: _Here, name: str, ask: Ask, seconds: float, *, loaded: bool) -> Callable[[], Awaitable[float]]:
    async def once() -> float:
        await settled(here.database, TOPIC)  # what the load of the round before left to be read
        found: list[float] = []
        loading = here.load.sent(here.api.port, clients=_CLIENTS, seconds=seconds + 1, rate=UPDATES_A_SECOND)
        beside = asyncio.create_task(loading) if loaded else None
        if not loaded:
            loading.close()
        await asyncio.sleep(0.5)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            leaf = here.draw.randrange(_LOADED, len(here.tree.leaves))
            headers = {"Authorization": f"Bearer {here.issuer.token(here.tree.owner(leaf))}"}
            began = time.perf_counter()
            await ask(here, leaf, headers)
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(here.draw.uniform(0.02, 0.1))
        if beside is not None:
            told = await beside
            here.answered.append(told["per_second"])
        here.waits.setdefault(name, []).extend(found)
        return quantile(sorted(found), 0.95)

    return once


async def _leaf_to_root(here: _Here, leaf: int, headers: dict[str, str]) -> None:
    """The command's own time is in it, and that of the question at the root."""
    before = await here.database.fetchval(_AT_ROOT, here.tree.root)
    value = str(1_000 * (500_000 + next(here.values) * 7 % 499_999))
    path = f"/goals/v1/goals/{here.tree.leaves[leaf]}/progress"
    recorded = (await here.client.post(path, json={"value": value}, headers=headers)).raise_for_status()
    token = {"Consistency-Token": recorded.headers["Consistency-Token"]}
    root = f"/goals/v1/goals/{here.tree.root}"
    while (await here.client.get(root, headers=headers | token)).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        pass  # the reader is behind by more than a query waits for; the time goes on
    if before == await here.database.fetchval(_AT_ROOT, here.tree.root):
        raise RuntimeError("the root was answered, and shows the leaf's progress not yet")


async def _page(here: _Here, _: int, headers: dict[str, str]) -> None:
    """The goals below any goal that has some, of which most are near the leaves, asked for by a leaf's owner."""
    inner = [goal for level in here.tree.levels[:-1] for goal in level]
    path = f"/goals/v1/goals/{here.draw.choice(inner)}/children?limit=100"
    (await here.client.get(path, headers=headers)).raise_for_status()


@asynccontextmanager
async def _installed(asked: Asked, goals: int, people: int) -> AsyncGenerator[_Here]:
    servers, folder = asked.servers, asked.folder
    async with servers.service_databases("goals") as databases, issuing(folder) as issuer:
        await create_topics(servers.broker.bootstrap, TOPICS)
        settings = settings_of(servers, databases, issuer, kafka=True)
        database = await asyncpg.connect(servers.postgres.dsn(databases[0]))
        told = [await _people_loaded(asked, people, database, settings)]
        employed = [PersonId(person) for (person,) in await database.fetch(_EMPLOYED)]
        began = time.perf_counter()
        async with engine_of(servers.postgres.url(databases[0])) as engine:
            tree = await grown(engine, goals=goals, levels=LEVELS, owners=employed)
        told.append(_rate(f"{goals:,} goals stored", goals, time.perf_counter() - began))
        loaded = tree.leaves[:_LOADED]
        leaves = [(leaf, issuer.token(tree.owner(place))) for place, leaf in enumerate(loaded)]
        began = time.perf_counter()
        async with role("goals", "worker", settings, folder) as worker, role("goals", "api", settings, folder) as api:
            seconds = await _until_read(database, _GOALS_READ, goals) - began
            told.append(_rate("published and read by a worker, from its start on,", goals, seconds))
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", timeout=30) as client:
                draw = random.Random(asked.seed)
                yield _Here(tree, api, worker, client, database, ProgressLoad(leaves), issuer, draw, loaded=told)
        await database.close()


async def _people_loaded(asked: Asked, people: int, database: asyncpg.Connection, settings: dict[str, str]) -> str:
    """Imported into the feed, and read from there by the goals service."""
    told = await imported(asked.servers, asked.folder, people=people, seed=asked.seed)
    began = time.perf_counter()
    async with role("goals", "worker", settings, asked.folder):
        seconds = await _until_read(database, _PEOPLE_READ, told["people"]) - began
    done = _rate(
        f"{told['people']:,} people, leavers among them, imported with their pay", told["people"], told["seconds"]
    )
    memory = f"processor {told['processor_seconds']:,.1f} s, at most {told['memory']:,.0f} MiB"
    return f"{done}, {memory}; {_rate('read by a worker of goals, from its start on,', told['people'], seconds)}"


def _rate(what: str, count: int, seconds: float) -> str:
    return f"{what} in {seconds:,.1f} s: {count / seconds:,.0f} a second"


async def _until_read(database: asyncpg.Connection, count: str, wanted: int) -> float:
    """The moment when the worker has read all of them."""
    async with asyncio.timeout(_READ_SECONDS):
        while (await database.fetchval(count) or 0) < wanted:  # noqa: ASYNC110 - another process reads
            await asyncio.sleep(0.1)
    return time.perf_counter()


QUESTION: Final = Question(
    "deep_tree", "how long a leaf's progress takes to be seen at the root of a deep tree", answered
)
