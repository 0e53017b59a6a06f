"""Two addresses for probes: /health/live answers while the process runs, /health/ready while nothing is stopped."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

State: TypeAlias = Callable[[], tuple[bool, Mapping[str, Any]]]
"""Whether payroll is ready, and what there is to say of it."""


async def serve(host: str, port: int, state: State) -> asyncio.Server:
    """Answer probes on this address until the server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            async with asyncio.timeout(5):
                request = await reader.readuntil(b"\r\n\r\n")
            writer.write(_answer(request, state))
            await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, host, port, limit=16_384)


def _answer(request: bytes, state: State) -> bytes:
    path = request.split(b" ", 2)[1] if request.count(b" ") > 1 else b""
    ready, details = state()
    body = json.dumps(details).encode()
    status = b"404 Not Found"
    if path == b"/health/live" or (path == b"/health/ready" and ready):
        status = b"200 OK"
    elif path == b"/health/ready":
        status = b"503 Service Unavailable"
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % (status, len(body)) + body
