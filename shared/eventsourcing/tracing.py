"""Traces as the kernel sees them: a span has a name and what it follows. Off, it costs an empty block."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["internal", "producer", "consumer"]


class Tracing(Protocol):
    """Makes spans; their names and attributes hold no id and nothing that people wrote."""

    def span(
        self, name: str, kind: Kind = "internal", *, following: Iterable[str | None] | None = None, events: int = 1
    ) -> AbstractContextManager[None]:
        """A span around the block: of the running trace, or `following` what these traceparents name.

        Those that were not sampled count for nothing. One trace that is left is continued; several are linked from a
        trace of its own, so that a slice of a thousand events is one span; none makes no span.
        """
        ...


class _Off:
    def span(
        self, name: str, kind: Kind = "internal", *, following: Iterable[str | None] | None = None, events: int = 1
    ) -> AbstractContextManager[None]:
        del name, kind, following, events
        return nullcontext()


OFF: Final[Tracing] = _Off()
