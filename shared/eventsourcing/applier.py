"""What a reader does with events: fill read models, or react."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event

Committed: TypeAlias = Callable[[], None]


class Applier(Protocol):
    """Fills read models, or reacts."""

    @property
    def name(self) -> str: ...
    @property
    def topics(self) -> tuple[str, ...]: ...
    @property
    def events(self) -> Collection[type[Event]] | None:
        """Those that mean something to it: it is given no others. None: all of its topics."""
        ...

    @property
    def largest_slice(self) -> int:
        """Records that one transaction may hold."""
        ...

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> Committed | None:
        """Apply the events inside the slice's transaction; what is returned is called after its commit."""
        ...


@runtime_checkable
class Forgoing(Protocol):
    """An applier that remembers which events it is done with."""

    async def forgo(self, connection: AsyncConnection, given_up: Envelope) -> None: ...


@runtime_checkable
class Yielding(Protocol):
    """An applier that gives way to a newer one of its name."""

    async def admit(self, connection: AsyncConnection) -> None:
        """Asked in a transaction that does not simply go on where this process' last one ended.

        Raises:
            Superseded: there is a newer one, and nothing may be moved.
        """
        ...
