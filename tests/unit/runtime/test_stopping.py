"""A server that is told to stop is not ready, finishes what it accepted, and answers nothing by half."""

import asyncio
import errno
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.runtime import stopping
from shared.runtime.stopping import Drained, Server, turns_newcomers_away, waiting_at


@dataclass
class Slow:
    """A server of one slow route, and a client of it."""

    server: Server
    serving: "asyncio.Task[None]"
    client: httpx.AsyncClient
    told: asyncio.Event
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    worked: asyncio.Event = field(default_factory=asyncio.Event)

    async def told_to_stop(self) -> None:
        """It serves no more."""
        self.server.should_exit = True
        await self.told.wait()

    async def not_ready(self) -> None:
        """It was told to stop, and serves for a while."""
        self.server.should_exit = True
        async with asyncio.timeout(5):
            while (await self.client.get("/health/ready")).status_code == 200:  # noqa: ASYNC110 - a probe asks
                await asyncio.sleep(0.01)


class _Unsignalled(Server):
    """The test run has signal handlers of its own."""

    def capture_signals(self) -> AbstractContextManager[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return nullcontext()


@asynccontextmanager
async def slow(*, drain_seconds: float) -> AsyncGenerator[Slow]:
    async def wait(_request: Request) -> Response:
        found.entered.set()
        await found.answer.wait()
        return PlainTextResponse("finished")

    async def live(_request: Request) -> Response:
        return PlainTextResponse("live")

    async def work() -> None:
        found.worked.set()

    methods = ["GET", "POST"]
    probes = [Route("/health/live", live), Route("/health/ready", live)]
    drained = Drained(Starlette(routes=[Route("/wait", wait, methods=methods), *probes]))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(drained, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
    told = asyncio.Event()
    server = _Unsignalled(config, drained, drain_seconds=drain_seconds, stop=work, told=told.set)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=20) as client:
        found = Slow(server, serving, client, told)
        try:
            yield found
        finally:
            found.answer.set()
            server.should_exit = True
            await serving


async def test_a_server_that_is_told_to_stop_is_not_ready_and_serves_until_that_was_noticed() -> None:
    async with slow(drain_seconds=1) as server:
        server.answer.set()
        assert (await server.client.get("/health/ready")).status_code == 200
        await server.not_ready()
        refused, alive = await server.client.get("/health/ready"), await server.client.get("/health/live")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert (alive.status_code, alive.headers["Connection"]) == (200, "close")
        served = await server.client.post("/wait")
        assert (served.text, served.headers["Connection"]) == ("finished", "close")
        assert not server.told.is_set()
        await server.told.wait()
        await server.worked.wait()


async def test_what_was_accepted_is_finished_while_the_rest_of_the_process_stops() -> None:
    async with slow(drain_seconds=0) as server:
        accepted = asyncio.create_task(server.client.get("/wait"))
        await server.entered.wait()
        await server.told_to_stop()
        await server.worked.wait()
        server.answer.set()
        finished = await accepted
        assert (finished.text, finished.headers["Connection"]) == ("finished", "close")


async def test_what_was_accepted_is_finished_though_the_port_cannot_be_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(_port: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(stopping, "_duplicate", no_descriptor)
    async with slow(drain_seconds=0) as server:
        accepted = asyncio.create_task(server.client.get("/wait"))
        await server.entered.wait()
        await server.told_to_stop()
        await server.worked.wait()
        server.answer.set()
        assert (await accepted).text == "finished"


async def test_an_answer_keeps_its_connection_until_the_process_is_told_to_stop() -> None:
    async with slow(drain_seconds=0) as server:
        assert "Connection" not in (await server.client.get("/health/live")).headers


async def test_who_came_in_before_the_port_was_closed_and_asks_afterwards_is_sent_elsewhere() -> None:
    async with slow(drain_seconds=0) as server:
        address = str(server.client.base_url.host), server.client.base_url.port
        asking, telling = await asyncio.open_connection(*address)
        while not server.server.server_state.connections:  # noqa: ASYNC110 - uvicorn's set tells nobody
            await asyncio.sleep(0.01)
        await server.told_to_stop()
        while await listens(*address):  # noqa: ASYNC110 - a port tells nobody
            await asyncio.sleep(0.01)
        body = b"x" * 300_000  # read to its end, since a connection that is closed on the rest loses the answer
        telling.write(b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        answer = await asking.read()
        telling.close()
    head, _, said = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert {b"connection: close", b"retry-after: 1", b"content-type: application/problem+json"} <= set(
        head.split(b"\r\n")
    )
    assert b"stopping" in said


@dataclass(frozen=True, slots=True)
class Rights:
    """Whether the system lets a process turn newcomers away."""

    filters: bool

    def take(self, monkeypatch: pytest.MonkeyPatch) -> None:
        allowed = socket.socket.setsockopt

        def setsockopt(port: socket.socket, level: int, option: int, *value: Any) -> None:
            if option == stopping.SO_ATTACH_FILTER and not self.filters:
                raise PermissionError(errno.EPERM, "Operation not permitted")
            allowed(port, level, option, *value)

        monkeypatch.setattr(socket.socket, "setsockopt", setsockopt)


@pytest.mark.parametrize("rights", [Rights(filters=True), Rights(filters=False)], ids=str)
async def test_who_waits_at_the_port_when_it_is_closed_is_sent_elsewhere(
    rights: Rights, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[socket.socket] = []

    def twenty_come() -> None:
        """Nobody is let in meanwhile: this does not give way to the loop."""
        for _ in range(20):
            waiting.append(socket.create_connection(address, timeout=10))
            waiting[-1].sendall(b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")

    rights.take(monkeypatch)
    async with slow(drain_seconds=0) as server:
        address = str(server.client.base_url.host), server.client.base_url.port or 0
        monkeypatch.setattr(server.server, "_told", twenty_come)
        server.server.should_exit = True
        await server.serving
    answers = [connection.recv(12) for connection in waiting]
    for connection in waiting:
        connection.close()
    assert answers == [b"HTTP/1.1 503"] * 20


async def test_who_was_accepted_in_the_turn_in_which_the_port_is_closed_is_sent_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop: Any = asyncio.get_running_loop()
    accepted: list[socket.socket] = []

    def one_is_accepted() -> None:
        accepted.append(socket.create_connection(address, timeout=10))
        accepted[0].sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for port in server.server.servers[0].sockets:
            loop._selector.get_key(port.fileno()).data[0]._run()

    async with slow(drain_seconds=0) as server:
        address = str(server.client.base_url.host), server.client.base_url.port or 0
        monkeypatch.setattr(server.server, "_told", one_is_accepted)
        server.server.should_exit = True
        await server.serving
    with accepted[0] as connection:
        assert connection.recv(12) == b"HTTP/1.1 503"


async def test_who_comes_after_the_last_was_let_in_and_before_the_port_is_closed_is_refused_not_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        if not turns_newcomers_away(port):
            pytest.skip("this system does not let this process turn newcomers away")
    comes: list[threading.Thread] = []
    outcomes: list[object] = []

    def then_one_comes(port: socket.socket) -> Iterator[socket.socket]:
        yield from waiting_at(port)
        if not comes:
            comes.append(threading.Thread(target=lambda: outcomes.append(_asked(address))))
            comes[0].start()
            comes[0].join(0.3)

    async with slow(drain_seconds=0) as server:
        address = str(server.client.base_url.host), server.client.base_url.port or 0
        monkeypatch.setattr(stopping, "waiting_at", then_one_comes)
        monkeypatch.setattr(stopping, "_HALF_IN_SECONDS", 0)
        await server.told_to_stop()
        await server.serving
        await asyncio.to_thread(comes[0].join, 10)
    assert isinstance(outcomes[0], ConnectionRefusedError), outcomes


def _asked(address: tuple[str, int]) -> object:
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return connection.recv(1000)
    except OSError as error:
        return error


async def listens(host: str, port: int | None) -> bool:
    try:
        async with asyncio.timeout(0.1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # refused, or not answered
        return False
    writer.close()
    return True


async def test_a_request_that_was_accepted_is_finished_after_the_port_is_closed() -> None:
    async with slow(drain_seconds=0) as server:
        accepted = asyncio.create_task(server.client.get("/wait"))
        await server.entered.wait()
        await server.told_to_stop()
        async with httpx.AsyncClient(base_url=server.client.base_url) as other:
            while True:
                try:
                    assert (await other.get("/wait")).status_code == 503
                except httpx.TransportError:
                    break
        server.answer.set()
        assert (await accepted).text == "finished"


def test_a_process_that_hangs_is_ended_after_ten_seconds() -> None:
    program = "import time; from shared.runtime.stopping import keep_ten_seconds; keep_ten_seconds(); time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 1
