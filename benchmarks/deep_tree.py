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
from benchmarks.processes import Running, issuing, role, settings_of
from benchmarks.progress_load import OWNERS, ProgressLoad, engine_of, owner
from benchmarks.question import Answer, Asked, Question
from benchmarks.settling import settled
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalId

LEVELS: Final = 12
UPDATES_A_SECOND: Final = 500
_CLIENTS: Final = 16
_LOADED: Final = 2_000
"""Leaves that the load moves; probes move others."""
_READ_SECONDS: Final = 280.0
_UNIT: Final = "ms"
_READ: Final = "select count(*) from goal_tree"
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
    tokens: list[str]
    draw: random.Random
    values: "count[int]" = field(default_factory=lambda: count(1))
    answered: list[float] = field(default_factory=list[float])
    """Updates a second that the load got answered, a run each."""
    waits: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


async def answered(asked: Asked) -> Answer:
    """A probe records progress of a leaf by HTTP and asks for the root with the token of that answer."""
    goals, seconds = asked.size(50_000), 8.0 if asked.full else 3.0
    async with _installed(asked, goals) as here:
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
        return Answer(
            series, _limits(here, series), {"goals": goals, "levels": LEVELS}, [*_medians(here), load, memory]
        )


def _limits(here: _Here, series: list[Series]) -> list[Comparison]:
    """The quantile over the probes of all rounds."""
    limits = {"leaf to root, idle": 100.0}
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


def _run(
    here: _Here, name: str, ask: Callable[[_Here], Awaitable[None]], seconds: float, *, loaded: bool
) -> Callable[[], Awaitable[float]]:
    async def once() -> float:
        await settled(here.database, TOPIC)  # what the load of the round before left to be read
        found: list[float] = []
        loading = here.load.sent(here.api.port, clients=_CLIENTS, seconds=seconds + 1, rate=UPDATES_A_SECOND)
        beside = asyncio.create_task(loading) if loaded else None
        if not loaded:
            loading.close()
        await asyncio.sleep(0.5)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            await ask(here)
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(here.draw.uniform(0.02, 0.1))
        if beside is not None:
            told = await beside
            here.answered.append(told["per_second"])
        here.waits.setdefault(name, []).extend(found)
        return quantile(sorted(found), 0.95)

    return once


async def _leaf_to_root(here: _Here) -> None:
    """The command's own time is in it, and that of the question at the root."""
    leaf = here.draw.randrange(_LOADED, len(here.tree.leaves))
    before = await here.database.fetchval(_AT_ROOT, here.tree.root)
    value = str(1_000 * (500_000 + next(here.values) * 7 % 499_999))
    headers = {"Authorization": f"Bearer {here.tokens[here.tree.owner(leaf)]}"}
    path = f"/goals/v1/goals/{here.tree.leaves[leaf]}/progress"
    recorded = (await here.client.post(path, json={"value": value}, headers=headers)).raise_for_status()
    token = {"Consistency-Token": recorded.headers["Consistency-Token"]}
    root = f"/goals/v1/goals/{here.tree.root}"
    while (await here.client.get(root, headers=headers | token)).status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        pass  # the reader is behind by more than a query waits for; the time goes on
    if before == await here.database.fetchval(_AT_ROOT, here.tree.root):
        raise RuntimeError("the root was answered, and shows the leaf's progress not yet")


async def _page(here: _Here) -> None:
    """The goals below any goal that has some; most of such goals are near the leaves."""
    inner = [goal for level in here.tree.levels[:-1] for goal in level]
    headers = {"Authorization": f"Bearer {here.tokens[0]}"}
    path = f"/goals/v1/goals/{here.draw.choice(inner)}/children?limit=100"
    (await here.client.get(path, headers=headers)).raise_for_status()


@asynccontextmanager
async def _installed(asked: Asked, goals: int) -> AsyncGenerator[_Here]:
    servers, folder = asked.servers, asked.folder
    async with servers.service_databases("goals") as databases, issuing(folder) as issuer:
        await create_topics(servers.broker.bootstrap, TOPICS)
        async with engine_of(servers.postgres.url(databases[0])) as engine:
            tree = await grown(engine, goals=goals, levels=LEVELS, owners=OWNERS)
        tokens = [issuer.token(owner(number)) for number in range(OWNERS)]
        leaves: list[tuple[GoalId, str]] = [
            (leaf, tokens[tree.owner(place)]) for place, leaf in enumerate(tree.leaves[:_LOADED])
        ]
        settings = settings_of(servers, databases, issuer, kafka=True)
        async with role("goals", "api", settings, folder) as api, role("goals", "worker", settings, folder) as worker:
            database = await asyncpg.connect(servers.postgres.dsn(databases[0]))
            await _read(database, goals)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", timeout=30) as client:
                draw = random.Random(asked.seed)
                yield _Here(tree, api, worker, client, database, ProgressLoad(leaves), tokens, draw)
            await database.close()


async def _read(database: asyncpg.Connection, goals: int) -> None:
    """Until the worker has read every goal."""
    async with asyncio.timeout(_READ_SECONDS):
        while (await database.fetchval(_READ) or 0) < goals:  # noqa: ASYNC110 - another process reads
            await asyncio.sleep(0.2)


QUESTION: Final = Question(
    "deep_tree", "how long a leaf's progress takes to be seen at the root of a deep tree", answered
)
