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
_LAST_SECONDS: Final = 9.5
_LOOK_SECONDS: Final = 0.02
_OVERDUE: Final = 1
_ALIVE: Final = "/health/live"
_READY: Final = "/health/ready"
_SO_ATTACH_FILTER: Final = 26
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
        for open_one in (*self.servers, *sockets):
            open_one.close()
        for port in ports:
            _turn_newcomers_away(port)
        await asyncio.sleep(_LOOK_SECONDS)  # who was half in is in: a network's round trip
        for connection in [accepted for port in ports for accepted in last_of(port)]:
            await asyncio.get_running_loop().connect_accepted_socket(self._conversation, connection)
        deadline = time.monotonic() + _LAST_ASKED_SECONDS
        while self.server_state.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn's set
            await asyncio.sleep(_LOOK_SECONDS)

    def _conversation(self) -> asyncio.Protocol:
        talk: Any = self.config.http_protocol_class
        return talk(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _duplicate(port: Any) -> socket.socket:
    """The port stays open as long as this is; `port` is asyncio's socket or uvloop's."""
    return socket.socket(fileno=os.dup(port.fileno()))


def _turn_newcomers_away(port: socket.socket) -> None:
    """Let nobody begin to connect, but keep who waits: between the last who is accepted and the port's end none comes.

    The system does not answer a newcomer, who asks again after a second and is refused by then. Elsewhere than on
    Linux, who comes in that moment is reset.
    """
    if sys.platform == "linux":
        steps = ctypes.create_string_buffer(_NO_NEWCOMER)
        program = struct.pack("HP", len(_NO_NEWCOMER) // 8, ctypes.addressof(steps))
        port.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def last_of(port: socket.socket) -> Iterator[socket.socket]:
    """Who waited at the port when it was closed, which is as soon as nobody waits."""
    port.setblocking(False)
    with port, suppress(BlockingIOError):
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
