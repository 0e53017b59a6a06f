"""The event loop of every role: a stream's user is told of a closed connection by an error that it knows."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop
from uvicorn import Config

from shared.runtime.event_loops import event_loop, stream_loop


@asynccontextmanager
async def _closed_by_the_other_side() -> AsyncGenerator[asyncio.StreamWriter]:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with suppress(ConnectionResetError):
            await reader.read()
        writer.close()
        await asyncio.sleep(0)
        yield writer


async def _write() -> None:
    async with _closed_by_the_other_side() as writer:
        writer.write(b"anybody there?")


async def _write_lines() -> None:
    async with _closed_by_the_other_side() as writer:
        writer.writelines([b"anybody ", b"there?"])


def _run(loop: Callable[[], asyncio.AbstractEventLoop], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())


@pytest.mark.parametrize("write", [_write, _write_lines])
def test_a_write_to_a_closed_connection_is_a_connection_error(write: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with pytest.raises(ConnectionResetError):
        _run(stream_loop, write)


def test_uvloop_by_itself_raises_what_a_kafka_client_does_not_know() -> None:
    with pytest.raises(RuntimeError, match="closed"):
        _run(uvloop.new_event_loop, _write)


def test_uvicorn_makes_this_loop() -> None:
    factory = Config(_write, loop=event_loop(), log_config=None).get_loop_factory()
    assert factory is stream_loop
