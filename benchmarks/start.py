"""How long `trellis up` takes from nothing to the first 200 of all four services, beside the sum of its parts."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import httpx

from benchmarks.measuring import Better, Contender, Series, compared, held_against, take_turns
from benchmarks.question import Answer, Asked, Question
from launcher import processes
from launcher.failure import LaunchFailed
from launcher.process import Interpreters, free_port
from launcher.processes import NAMES, Surroundings
from launcher.servers import BROKER, DEFAULT_KAFKA, POSTGRES, converge_broker, converge_postgres
from launcher.state import State
from launcher.supervisor import Process, Supervisor
from launcher.token import issue_token
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId

_LIMIT_SECONDS: Final = 8.0
_QUERIES: Final = {
    "goals": "/goals/v1/goals",
    "feedback": "/feedback/v1/feedback",
    "reviews": "/reviews/v1/cycles",
    "rewards": "/rewards/v1/reconciliation",
}
_PATIENCE_SECONDS: Final = 60.0
_ASK_AGAIN_SECONDS: Final = 0.02
_PARTS: Final = ("PostgreSQL", "the broker", "databases and topics", "issuer", *(f"{name}-api" for name in _QUERIES))


@dataclass(frozen=True, slots=True)
class _Measured:
    """The rounds' values of what is timed beside the contenders: each part, and when `trellis up` was through."""

    parts: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in _PARTS})
    through: list[float] = field(default_factory=list[float])


async def answered(asked: Asked) -> Answer:
    """On the embedded servers; every round in a new folder, on ports of its own."""
    measured = _Measured()
    contenders = [
        Contender("trellis up, to the first 200 of all four", "s", partial(_up, asked, measured)),
        Contender("its parts, one after the other", "s", partial(_one_by_one, asked, measured)),
    ]
    up, parts = await take_turns(contenders, progress=asked.progress, what="start")
    each = [Series(f"part: {name}", "s", tuple(values)) for name, values in measured.parts.items()]
    through = Series("trellis up, to its end: the workers and payroll ready, too", "s", tuple(measured.through))
    comparisons = [
        held_against("trellis up, to the first 200 of all four", up, _LIMIT_SECONDS, better=Better.LOWER),
        compared("trellis up, beside the sum of its parts", up, parts, better=Better.LOWER),
    ]
    return Answer([up, through, parts, *each], comparisons)


@asynccontextmanager
async def _folder(asked: Asked) -> AsyncGenerator[tuple[State, str]]:
    """A state folder that knows its ports and a token of HR and nothing else; what runs in it is stopped afterwards."""
    state = State(asked.folder / f"start-{uuid7()}")
    state.create()
    for name in (POSTGRES, BROKER, *NAMES, *(processes.metrics_of(f"{service}-api") for service in _QUERIES)):
        state.remember_port(name, free_port())
    try:
        yield state, issue_token(state.folder, PersonId(uuid7()), [Role.HR], timedelta(hours=1))
    finally:
        await _trellis(state, "down")
        shutil.rmtree(state.folder)


async def _trellis(state: State, command: str) -> None:
    output = (state.folder / f"{command}.log").open("wb")
    with output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "launcher", command, "--folder", str(state.folder), stdout=output, stderr=output
        )
        if await process.wait() != 0:
            raise LaunchFailed(f"trellis {command} failed: {(state.folder / f'{command}.log').read_text()}")


async def _up(asked: Asked, measured: _Measured) -> float:
    async with _folder(asked) as (state, token):
        began = time.perf_counter()
        starting = asyncio.create_task(_trellis(state, "up"))
        answers = [_first_200(state, service, token) for service in _QUERIES]
        last = max(await asyncio.gather(*answers))
        await starting
        measured.through.append(time.perf_counter() - began)
    return last - began


async def _first_200(state: State, service: str, token: str) -> float:
    """The moment of a service's first answer to somebody with a token."""
    url = f"http://127.0.0.1:{state.port(f'{service}-api')}{_QUERIES[service]}"
    status = 0
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while status != HTTPStatus.OK:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
                status = await _status(client, url)
    return time.perf_counter()


async def _status(client: httpx.AsyncClient, url: str) -> int:
    """0 where nobody listens yet.

    Raises:
        RuntimeError: the question is refused, and will be for ever.
    """
    try:
        answer = await client.get(url)
    except httpx.HTTPError:
        return 0
    if answer.is_client_error:
        raise RuntimeError(f"{url}: {answer.status_code} {answer.text}")
    return answer.status_code


async def _one_by_one(asked: Asked, measured: _Measured) -> float:
    """The same servers, tables, topics and processes, each begun when the one before it answers."""
    seconds: dict[str, float] = {}

    async def timed(part: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = await asyncio.to_thread(work)
        seconds[part] = time.perf_counter() - began
        return found

    async with _folder(asked) as (state, token):
        postgres = await timed("PostgreSQL", partial(converge_postgres, state, _silent, port=None))
        broker = await timed("the broker", partial(converge_broker, state, _silent, kafka=DEFAULT_KAFKA, port=None))
        state.remember_kafka(DEFAULT_KAFKA)
        around = Surroundings(state, postgres, broker, state.master_key())
        await timed("databases and topics", partial(_prepare, state))
        await timed("issuer", partial(_start, state, processes.issuer(around)))
        for process, service in zip(processes.apis(around), _QUERIES, strict=True):
            await timed(process.name, partial(_start, state, process))
            began = time.perf_counter()
            await _first_200(state, service, token)
            seconds[process.name] += time.perf_counter() - began
    for part in _PARTS:
        measured.parts[part].append(seconds[part])
    return sum(seconds.values())


def _silent(_message: str) -> None:
    """Nobody reads along."""


def _prepare(state: State) -> None:
    log = state.logs / "preparation.log"
    module = ("launcher.preparation", str(state.folder))
    if Interpreters().run(module, log=log, environment={}, folder=state.folder) != 0:
        raise LaunchFailed(log.read_text())


def _start(state: State, process: Process) -> None:
    supervisor = Supervisor(state, _silent)
    supervisor.converge([process])
    supervisor.wait([process])


QUESTION: Final = Question("start", "how long from `trellis up` to the first answers of all four services", answered)
