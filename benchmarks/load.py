"""`python -m benchmarks.load`: a load generator, told by JSON on its input, that answers with JSON.

One process, one connection a client, requests written beforehand: so that little of the machine goes to asking.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import uvloop

from benchmarks.measuring import quantile

_PATIENCE_SECONDS: Final = 20.0
_END_OF_HEADERS: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"


@dataclass(slots=True)
class Tally:
    """Seconds that each answer took, and whether it was a 2xx; `first_refusal` is one that was not."""

    seconds: list[float] = field(default_factory=list[float])
    refused: int = 0
    first_refusal: str | None = None


class Client(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next: at once, or every `interval` seconds.

    With an interval a request's time counts from when it was due: whoever answers late cannot slow the asking down.
    """

    def __init__(self, requests: Iterator[bytes], tally: Tally, *, begin: float, end: float, interval: float) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._tally = tally
        self._end = end
        self._interval = interval
        self._due = begin
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes
        asyncio.get_running_loop().call_later(max(0.0, self._due - time.perf_counter()), self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(_END_OF_HEADERS)
        if end < 0:
            return
        headers = self._answer[:end].lower() + b"\r\n"
        at = headers.index(_LENGTH) + len(_LENGTH)
        if len(self._answer) < end + len(_END_OF_HEADERS) + int(headers[at : headers.index(b"\r", at)]):
            return
        self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self._tally.seconds.append(now - self._due)
        if not self._answer.startswith(b"HTTP/1.1 2"):
            self._tally.refused += 1
            self._tally.first_refusal = self._tally.first_refusal or self._answer.decode()
        self._answer = b""
        self._due = self._due + self._interval if self._interval else now
        if max(now, self._due) >= self._end:
            self.over.set_result(None)
            self._transport.close()
        elif self._due > now:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if not self._interval:
            self._due = time.perf_counter()
        self._transport.write(next(self._requests))


def _requests(task: dict[str, Any], number: int) -> Iterator[bytes]:
    """What one client sends: its own goals in turn, each time another value than before."""
    mine = task["goals"][number :: task["clients"]]
    heads = [
        f"POST {task['path'].format(goal=goal)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\n".encode()
        for goal, token in mine
    ]
    value = task["first_value"]
    while True:
        for head in heads:
            body = b'{"value":"%d"}' % value
            key = b"Idempotency-Key: %d-%d\r\n" % (number, time.perf_counter_ns()) if task["keys"] else b""
            yield b"%s%sContent-Length: %d\r\n\r\n%s" % (head, key, len(body), body)
        value += 1


async def load(task: dict[str, Any]) -> dict[str, Any]:
    """Ask for the task's seconds; what came back."""
    loop, tally = asyncio.get_running_loop(), Tally()
    interval = task["clients"] / task["rate"] if task["rate"] else 0.0
    begin = time.perf_counter() + 0.1
    clients: list[Client] = []
    for number in range(task["clients"]):
        client = Client(
            _requests(task, number),
            tally,
            begin=begin + interval * number / task["clients"],
            end=begin + task["seconds"],
            interval=interval,
        )
        await loop.create_connection(lambda client=client: client, "127.0.0.1", task["port"])
        clients.append(client)
    async with asyncio.timeout(task["seconds"] + _PATIENCE_SECONDS):
        await asyncio.gather(*(client.over for client in clients))
    taken = time.perf_counter() - begin
    return {
        "answered": len(tally.seconds),
        "refused": tally.refused,
        "first_refusal": tally.first_refusal,
        "per_second": len(tally.seconds) / taken,
        "p50": quantile(tally.seconds, 0.5),
        "p99": quantile(tally.seconds, 0.99),
        "cpu_seconds": time.process_time(),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(load(json.load(sys.stdin)))))
