"""The event loop of every role: uvloop where there is one, made safe for a Kafka client."""

import asyncio
import importlib.util
from collections.abc import Callable, Iterable
from typing import Any, Final


def event_loop() -> str:
    """What uvicorn is told: where the loop is made."""
    return f"{__name__}:stream_loop" if importlib.util.find_spec("uvloop") else "asyncio"


def stream_loop() -> asyncio.AbstractEventLoop:
    """A uvloop whose streams fail as asyncio's own do.

    A write to a connection that the other side has closed raises RuntimeError in uvloop. aiokafka 0.14 knows the
    errors of asyncio's loop alone, and its group coordinator dies of any other: the consumer stands still without a
    word. Streams are written to through a transport that raises ConnectionResetError there; asyncpg and uvicorn,
    whose protocols are no streams, write as before.
    """
    import uvloop  # noqa: PLC0415 - not on every platform

    class StreamLoop(uvloop.Loop):
        async def create_connection(  # pyright: ignore[reportIncompatibleMethodOverride]
            self, protocol_factory: Callable[[], asyncio.BaseProtocol], *arguments: Any, **options: Any
        ) -> tuple[Any, asyncio.BaseProtocol]:
            transport, protocol = await super().create_connection(protocol_factory, *arguments, **options)
            if isinstance(protocol, asyncio.StreamReaderProtocol):
                return _StreamTransport(transport), protocol
            return transport, protocol

    return StreamLoop()


_CLOSED: Final = "the connection is closed"


class _StreamTransport:
    """A transport whose writes to a closed connection raise what a stream's user expects."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except RuntimeError as error:
            if not self._transport.is_closing():
                raise
            raise ConnectionResetError(_CLOSED) from error

    def writelines(self, lines: Iterable[bytes]) -> None:
        self.write(b"".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
