"""One kept connection that asks and waits for the answer: a client that costs little beside what it measures."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

_END_OF_HEADERS: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """Status, headers (their names in lower case) and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Of one server at 127.0.0.1, as one person."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(
        self, method: str, path: str, token: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answered:
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{more}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        return await self._answer()

    async def _answer(self) -> Answered:
        head = (await self._reader.readuntil(_END_OF_HEADERS)).decode().split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answered(int(head[0].split()[1]), headers, body)


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[HttpClient]:
    """A client, closed after the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        yield HttpClient(reader, writer)
    finally:
        writer.close()
