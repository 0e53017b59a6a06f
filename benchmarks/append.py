"""How fast one-event commands are decided and stored, beside two peers and what the driver and the database can do."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from benchmarks.conversation import Conversation, conversation
from benchmarks.measuring import Comparison, Contender, Series, compared, take_turns
from benchmarks.peers.installation import node_peer, python_peer
from benchmarks.progress_load import engine_of
from benchmarks.question import Answer, Asked, Question
from launcher.failure import LaunchFailed
from launcher.postgres import USER
from shared.eventsourcing.schema import install

_WRITERS: Final = (1, 16, 64)
_UNIT: Final = "commands/s"
_OURS, _EVENTSOURCING, _EMMETT = "trellis", "eventsourcing", "emmett"
_SINGLE, _MERGED = "raw single transaction", "raw merged statement"
_WAYS: Final = {
    _OURS: ("new", "load", "cold"),
    _EVENTSOURCING: ("new", "load"),
    _EMMETT: ("new", "load"),
    _SINGLE: ("new",),
    _MERGED: ("new",),
}
_SAID: Final = {"new": "new streams", "load": "load and append", "cold": "load and append, nothing remembered"}


async def answered(asked: Asked) -> Answer:
    """Every contender is one process with 64 connections at most, and a database of its own on the same server."""
    seconds = 3.0 if asked.full else 0.4
    async with AsyncExitStack() as stack:
        running = await _ours_and_raw(asked, stack)
        notes = await _add_peers(running, asked, stack)
        for name, contender in running.items():  # connections are opened, statements are prepared, code is warm
            for way in _WAYS[name]:
                await contender.told({"way": way, "writers": 64, "seconds": 0.3})
        contenders = [
            Contender(_named(name, way, writers), _UNIT, partial(_per_second, running[name], way, writers, seconds))
            for writers in _WRITERS
            for name in running
            for way in _WAYS[name]
        ]
        series = await take_turns(contenders, progress=asked.progress, what="append")
    return Answer(series, _comparisons(series), sizes={"seconds": seconds}, notes=notes)


async def _ours_and_raw(asked: Asked, stack: AsyncExitStack) -> dict[str, Conversation]:
    server, running = asked.servers.postgres, dict[str, Conversation]()
    for name, program in (
        (_OURS, ("benchmarks.append_trellis",)),
        (_SINGLE, ("benchmarks.append_raw", "single")),
        (_MERGED, ("benchmarks.append_raw", "merged")),
    ):
        database = await stack.enter_async_context(asked.servers.database())
        async with engine_of(server.url(database)) as engine, engine.begin() as connection:
            await connection.run_sync(install)
        where = server.url(database) if name == _OURS else server.dsn(database)
        running[name] = await _started(asked, stack, name, (sys.executable, "-m", *program, where))
    return running


async def _add_peers(running: dict[str, Conversation], asked: Asked, stack: AsyncExitStack) -> list[str]:
    """The peers that can be installed here; who is missing, and why, is said beside the table."""
    server, missing = asked.servers.postgres, list[str]()
    for name, program in (
        (_EVENTSOURCING, partial(python_peer, "eventsourcing_library.py")),
        (_EMMETT, partial(node_peer, "emmett.mjs")),
    ):
        try:
            command = await program()
        except LaunchFailed as failure:
            missing.append(f"{name} was not measured: {failure}")
            continue
        database = await stack.enter_async_context(asked.servers.database())
        where = ("127.0.0.1", str(server.port), USER, server.password, database)
        running[name] = await _started(asked, stack, name, (*command, *where))
    return missing


async def _started(asked: Asked, stack: AsyncExitStack, name: str, command: Sequence[str]) -> Conversation:
    log = asked.folder / f"{name.replace(' ', '-')}.log"
    return await stack.enter_async_context(conversation(command, log=log))


async def _per_second(contender: Conversation, way: str, writers: int, seconds: float) -> float:
    return (await contender.told({"way": way, "writers": writers, "seconds": seconds}))["per_second"]


def _named(name: str, way: str, writers: int) -> str:
    raw = name in {_SINGLE, _MERGED}
    return f"{name}, {writers} at once" if raw else f"{name}, {_SAID[way]}, {writers} at once"


def _comparisons(series: Sequence[Series]) -> list[Comparison]:
    by_name = {one.name: one for one in series}

    def beside(other: str, way: str, writers: int, goal: float | None = None) -> list[Comparison]:
        ours, theirs = by_name[_named(_OURS, way, writers)], by_name.get(_named(other, way, writers))
        named = f"{_SAID[way]}, {writers} at once, beside {other}"
        return [] if theirs is None else [compared(named, ours, theirs, goal=goal)]

    return [
        *(one for way in ("new", "load") for one in beside(_EVENTSOURCING, way, 16, goal=10)),
        *(one for way in ("new", "load") for one in beside(_EMMETT, way, 16, goal=5)),
        *beside(_MERGED, "new", 16, goal=0.4),
        *beside(_SINGLE, "new", 1, goal=0.8),
        *(one for other in (_EVENTSOURCING, _EMMETT, _MERGED) for one in beside(other, "new", 64)),
        *(one for other in (_EVENTSOURCING, _EMMETT) for one in beside(other, "load", 64)),
    ]


QUESTION: Final = Question("append", "how many one-event commands a second are decided and stored", answered)
