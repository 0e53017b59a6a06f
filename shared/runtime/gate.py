"""What stands before every route: correlation, the body's size, and the caller's token."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.line_ids import trace_of
from shared.runtime import problems
from shared.runtime.authentication import Authenticator
from shared.runtime.failures import problem_of
from shared.runtime.logging import log_context
from shared.runtime.problems import FieldError, invalid, problem, shown
from shared.runtime.request_times import OPEN

CORRELATION: Final = "X-Correlation-Id"


class Gate:
    """Lets through what is well-formed, small enough and comes from a known caller, and answers everything else.

    It also answers for what fails behind it, so that nothing of the inside reaches a client, and gives the correlation
    id to every log line and every answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        largest_body: int,
        large_bodies: Mapping[str, int] = MappingProxyType({}),
        is_open: Callable[[str], bool] = OPEN.__contains__,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._largest_body = largest_body
        self._large_bodies = large_bodies
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation_id = _uuid(headers.get(CORRELATION)) or uuid7()
        traceparent = scope.get("state", {}).get("traceparent") or headers.get("traceparent")
        traced = trace_of(traceparent)
        with log_context(correlation_id=str(correlation_id), **traced):
            answer = _Answer(send, correlation_id)
            try:
                state = scope.setdefault("state", {})
                state["correlation_id"], state["traceparent"] = correlation_id, traceparent if traced else None
                await self._enter(scope, receive, answer)
            except Exception as error:
                if answer.started:
                    raise
                await problems.response(problem_of(error), scope["path"])(scope, receive, answer)

    async def _enter(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = Headers(scope=scope)
        if not self._is_open(scope["path"]):
            scope["state"]["caller"] = await self._authenticator.caller(headers.get("Authorization"))
        if (asked := headers.get(CORRELATION)) is not None and _uuid(asked) is None:
            raise invalid([FieldError(field=CORRELATION, value=shown(asked), message="must be a UUID")])
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise problem(
                "malformed-url", status=400, title="The address is not valid", detail="It holds NUL (U+0000)."
            )
        largest = self._large_bodies.get(scope["path"], self._largest_body)
        declared = headers.get("Content-Length", "0")
        if declared.isdecimal() and int(declared) > largest:
            raise _too_large(largest)
        await self._app(scope, _Counted(receive, largest), answer)


class _Answer:
    """Sends an answer with its correlation id, and remembers that it began."""

    def __init__(self, send: Send, correlation_id: UUID) -> None:
        self._send = send
        self._correlation_id = correlation_id
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            MutableHeaders(scope=message)[CORRELATION] = str(self._correlation_id)
        await self._send(message)


class _Counted:
    """Receives a body and stops when it is larger than it may be, whatever its Content-Length said."""

    def __init__(self, receive: Receive, largest: int) -> None:
        self._receive = receive
        self._largest = largest
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._largest:
            raise _too_large(self._largest)
        return message


def _too_large(largest: int) -> HTTPException:
    """Of the framework's own kind, since it takes any other for a body that cannot be parsed."""
    return HTTPException(413, f"The body may have {largest} bytes.")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
