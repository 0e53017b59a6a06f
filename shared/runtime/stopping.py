"""Stopping: not ready, while requests are served; then what was accepted is finished, and ten seconds are kept."""

import asyncio
import ctypes
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.eventsourcing.described import described
from shared.runtime import problems
from shared.runtime.logging import logger

ANSWER_SECONDS: Final = 5
"""How long requests that were accepted may take, once nobody is listening any more."""
_LAST_ASKED_SECONDS: Final = 0.5
_HALF_IN_SECONDS: Final = 0.25
"""How long who has begun to connect may take until they are in: a long way's round trip."""
_LAST_SECONDS: Final = 9.5
_LOOK_SECONDS: Final = 0.02
_OVERDUE: Final = 1
_ALIVE: Final = "/health/live"
_READY: Final = "/health/ready"
SO_ATTACH_FILTER: Final = 26
_NO_NEWCOMER: Final = b"".join(
    struct.pack("HBBI", *step)
    for step in (
        (0x30, 0, 0, 13),  # load the byte of a TCP header that holds its flags
        (0x45, 0, 1, 0x02),  # SYN?
        (0x06, 0, 0, 0),  # drop the packet
        (0x06, 0, 0, 0xFFFFFFFF),  # keep all of it
    )
)
"""A packet filter of Linux's (socket(7), SO_ATTACH_FILTER) that leaves alone who has begun to connect."""

log = logger(__name__)


class Drained:
    """An application that says it is not ready once it is `leaving`, and begins nothing more once it is `stopping`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.leaving = False
        self.stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._refuses(scope["path"]):
            await _elsewhere(scope, receive, send)
        else:
            await self._app(scope, receive, self._parting(send))

    def _refuses(self, path: str) -> bool:
        return (self.leaving and path == _READY) or (self.stopping and path != _ALIVE)

    def _parting(self, send: Send) -> Send:
        """The same, but an answer given while leaving is its connection's last: the next request could be lost."""

        async def parting(message: Message) -> None:
            if self.leaving and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        return parting


async def _elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    """503, after the whole request was read: a connection that is closed on what is still coming loses the answer."""
    while (await receive()).get("more_body"):
        pass
    answer = problems.response(problems.unavailable(1, "This process is stopping; another one answers."), scope["path"])
    answer.headers["Connection"] = "close"
    await answer(scope, receive, send)


class Server(uvicorn.Server):
    """Serves until it is told to stop.

    Then it is not ready, and serves for `drain_seconds` more, while whoever distributes requests notices. After that it
    calls `told`, closes the port, and finishes what was accepted; what `stop` does goes on meanwhile.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        application: Drained,
        *,
        drain_seconds: float,
        stop: Callable[[], Coroutine[None, None, None]] | None = None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._application = application
        self._drain_seconds = drain_seconds
        self._stop = stop
        self._told = told

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once the process was told to stop."""
        self._application.leaving = True
        log.info("process.stopping")
        await asyncio.sleep(self._drain_seconds)
        self._told()
        self._application.stopping = True
        working = asyncio.create_task(self._stop()) if self._stop is not None else None
        try:
            await self._let_nobody_in(sockets or [])
        except OSError as error:  # too many open files, say: who has not been let in is lost, and nobody else
            log.warning("process.port_not_emptied", error=described(error))
        await super().shutdown(sockets)
        if working is not None:
            await working

    async def _let_nobody_in(self, sockets: Sequence[socket.socket]) -> None:
        """Close the port, and let those who are in still ask, to be sent elsewhere.

        The system would reset whom nobody accepted yet, and uvicorn would close on a request that is on its way.
        """
        ports = [_duplicate(port) for server in self.servers for port in server.sockets]
        try:
            for server in self.servers:
                await _stop_accepting(server)
            for open_one in (*self.servers, *sockets):
                open_one.close()
            await self._let_in_who_waits(ports)
        finally:
            for port in ports:
                port.close()
        deadline = time.monotonic() + _LAST_ASKED_SECONDS
        while self.server_state.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn's set
            await asyncio.sleep(_LOOK_SECONDS)

    async def _let_in_who_waits(self, ports: Sequence[socket.socket]) -> None:
        """Who comes to a port that still lets newcomers in is reset, hence it is closed at once."""
        alone = all(turns_newcomers_away(port) for port in ports)
        deadline, over = time.monotonic() + (_HALF_IN_SECONDS if alone else 0), False
        while not over:
            over, came = time.monotonic() >= deadline, list[socket.socket]()
            for port in ports:
                came += waiting_at(port)
                if over:
                    port.close()
            for connection in came:
                await asyncio.get_running_loop().connect_accepted_socket(self._conversation, connection)
            if not over:
                await asyncio.sleep(_LOOK_SECONDS)

    def _conversation(self) -> asyncio.Protocol:
        talk: Any = self.config.http_protocol_class
        return talk(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


async def _stop_accepting(server: asyncio.Server) -> None:
    """Whom asyncio's loop has just accepted gets a connection in its next turn, if the server is still open then.

    Once it is closed they are forgotten, and never answered. uvloop has connected whom it accepts.
    """
    for port in server.sockets:
        asyncio.get_running_loop().remove_reader(port.fileno())
    await asyncio.sleep(0)


def _duplicate(port: Any) -> socket.socket:
    """The port stays open as long as this is; `port` is asyncio's socket or uvloop's."""
    return socket.socket(fileno=os.dup(port.fileno()))


def turns_newcomers_away(port: socket.socket) -> bool:
    """Let nobody begin to connect from now on, but keep who waits; False: this system does not let the process.

    Linux does, though its newest releases ask for the capability NET_ADMIN. A newcomer is not answered, and asks again
    after a second. Whoever else holds the same port turns them away, too.
    """
    if sys.platform != "linux":
        return False
    steps = ctypes.create_string_buffer(_NO_NEWCOMER)
    program = struct.pack("HP", len(_NO_NEWCOMER) // 8, ctypes.addressof(steps))
    try:
        port.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError:
        return False
    return True


def waiting_at(port: socket.socket) -> Iterator[socket.socket]:
    """Who has connected and was not let in yet."""
    port.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            yield port.accept()[0]


def keep_ten_seconds() -> None:
    """End this process in 9.5 s, whatever still hangs: every part of it survives being killed."""

    def overdue() -> None:
        log.critical("process.stopped_late", seconds=_LAST_SECONDS)
        os._exit(_OVERDUE)

    timer = threading.Timer(_LAST_SECONDS, overdue)
    timer.daemon = True
    timer.start()
