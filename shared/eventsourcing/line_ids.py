"""What every log line about an event or a command carries: the ids of it, of its cause and its trace."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from shared.eventsourcing.decision import Context
from shared.schemas.envelope import Headers

_IDS: Final = {
    "ce_id": "event_id",
    "ce_correlationid": "correlation_id",
    "ce_causationid": "causation_id",
    "ce_commandid": "command_id",
}
_UUID: Final = re.compile(rb"[0-9a-fA-F-]{36}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context; a malformed one is ignored, as the recommendation says."""


def ids_in(headers: Headers) -> dict[str, str]:
    """The ids that a record's headers hold; what is no id is left out, whatever it is."""
    found = {
        _IDS[name]: value.decode()
        for name, value in headers
        if name in _IDS and isinstance(value, bytes) and _UUID.fullmatch(value)  # pyright: ignore[reportUnnecessaryIsInstance] - Kafka has null headers
    }
    traceparent = next((value for name, value in headers if name == "traceparent" and value), b"")
    return found | trace_of(traceparent.decode(errors="replace"))


def trace_of(traceparent: str | None) -> dict[str, str]:
    """The trace's id by its name in a log line; nothing where there is no trace."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return {"trace_id": found[1]} if found else {}


def ids_of(context: Context) -> dict[str, str]:
    """The ids of a command, for what is logged while it is worked on."""
    ids = {"command_id": str(context.command_id), "correlation_id": str(context.correlation_id)}
    caused = {} if context.causation_id is None else {"causation_id": str(context.causation_id)}
    return ids | caused | trace_of(context.traceparent)


_WORKED_ON: Final[ContextVar[tuple[Context, str | None] | None]] = ContextVar("worked_on", default=None)


@contextmanager
def working_on(context: Context, stream: str | None = None) -> Generator[None]:
    """Within it every log line of this task carries the command's ids, and the stream's name where there is one.

    They are written out for a line alone: most commands log none.
    """
    before = _WORKED_ON.set((context, stream))
    try:
        yield
    finally:
        _WORKED_ON.reset(before)


def ids_worked_on() -> dict[str, str]:
    """What a log line of this moment carries of the command that is worked on."""
    worked_on = _WORKED_ON.get()
    if worked_on is None:
        return {}
    context, stream = worked_on
    return ids_of(context) | ({} if stream is None else {"stream": stream})
