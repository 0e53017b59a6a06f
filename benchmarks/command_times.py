"""`python -m benchmarks.command_times`: where one HTTP command's time goes, step by step, in microseconds.

One api of the goals service in this process, one client, progress on goals that the process remembers, a durable
PostgreSQL. Each step is timed by itself: what it calls that has a line of its own is not in it. A clock is read twice
a step, which costs about a microsecond. Median over the commands.
"""

import asyncio
import inspect
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import fastapi.routing
import uvicorn
import uvloop

from benchmarks.processes import issuing, settings_of
from benchmarks.progress_load import engine_of, goals_set
from benchmarks.servers import Servers, serving
from launcher.process import free_port
from services.goals.api import goal_commands
from services.goals.app import SERVICE
from shared.eventsourcing import handler
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.store import EventStore
from shared.runtime.authentication import Authenticator
from shared.runtime.collection import collect_seldom
from shared.runtime.process import create_service_api
from shared.runtime.request_times import TimedRequests
from shared.runtime.service import Runtime
from shared.runtime.settings import Settings

_SECONDS: Final = 5.0
_GOALS: Final = 20
_STEPS: Final[dict[str, tuple[Any, str]]] = {
    "middleware, routing, headers": (TimedRequests, "_timed"),
    "the token: who asks": (Authenticator, "caller"),
    "path, body and conditions into the command": (fastapi.routing, "solve_dependencies"),
    "permission: may they": (goal_commands, "permitted"),
    "handler: idempotency, retry, outcome": (CommandHandler, "handle"),
    "load what is newer": (CommandHandler, "load"),
    "decide and evolve": (handler, "_decide"),
    "events into JSON": (EventStore, "prepare"),
    "append: statement, flush to disk, commit": (EventStore, "append_directly"),
    "the answer into JSON": (fastapi.routing, "serialize_response"),
}


@dataclass(slots=True)
class Stopwatch:
    """Each step's own seconds, request by request; one request at a time, so that one stack says who called whom."""

    own: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    requests: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    _within: list[float] = field(default_factory=list[float])

    def put_into(self, owner: Any, name: str, step: str) -> None:
        """Time every call of `owner.name` as this step."""
        timed: Callable[..., Any] = getattr(owner, name)
        if inspect.iscoroutinefunction(timed):

            async def awaited(*args: Any, **named: Any) -> Any:
                began = self._begin()
                try:
                    return await timed(*args, **named)
                finally:
                    self._end(step, began)

            setattr(owner, name, awaited)
            return

        def called(*args: Any, **named: Any) -> Any:
            began = self._begin()
            try:
                return timed(*args, **named)
            finally:
                self._end(step, began)

        setattr(owner, name, called)

    def _begin(self) -> float:
        self._within.append(0.0)
        return time.perf_counter()

    def _end(self, step: str, began: float) -> None:
        taken = time.perf_counter() - began
        self.own[step] += taken - self._within.pop()
        if self._within:
            self._within[-1] += taken
        else:
            self.requests.append(dict(self.own))
            self.own.clear()


@asynccontextmanager
async def _api(port: int) -> AsyncGenerator[None]:
    runtime = Runtime(SERVICE, Settings())  # pyright: ignore[reportCallIssue] - from the environment
    config = uvicorn.Config(create_service_api(runtime), port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn says it by a flag alone
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _measured(servers: Servers, folder: Path, watch: Stopwatch) -> float:
    """Seconds that a command took for its client, the median; the steps of each are in the watch."""
    async with servers.service_databases("goals") as databases, issuing(folder) as issuer:
        async with engine_of(servers.postgres.url(databases[0])) as engine:
            load = await goals_set(engine, issuer, _GOALS)
        port = free_port()
        os.environ.update(settings_of(servers, databases, issuer, kafka=False))
        async with _api(port):
            collect_seldom()
            await load.sent(port, clients=1, seconds=1)
            watch.requests.clear()
            return (await load.sent(port, clients=1, seconds=_SECONDS))["p50"]


async def main() -> None:
    watch = Stopwatch()
    for step, (owner, name) in _STEPS.items():
        watch.put_into(owner, name, step)
    with tempfile.TemporaryDirectory(prefix="trellis-bench-") as folder, serving(Path(folder)) as servers:
        whole = await _measured(servers, Path(folder), watch) * 1e6
    steps = {step: median(one.get(step, 0.0) for one in watch.requests) * 1e6 for step in _STEPS}
    steps["uvicorn, the sockets and the client"] = whole - sum(steps.values())
    print(f"one command of one client, the median of {len(watch.requests):,}: {whole:,.0f} us")
    for step, microseconds in steps.items():
        print(f"  {microseconds:7,.0f} us  {microseconds / whole:6.1%}  {step}")


if __name__ == "__main__":
    uvloop.run(main())
