"""The projector: what a reader does for a projection."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.errors import Superseded
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded

_NEWER: Final = text(
    "select version from builds where projection = :projection and state = 'serving' and version > :version"
)


class Projector:
    """Applies events to one projection's tables."""

    largest_slice = 5_000

    def __init__(self, projection: Projection) -> None:
        self.name = projection.name
        self.topics = projection.topics
        self.events = projection.events
        self._version = projection.version
        self._apply = projection.apply

    async def admit(self, connection: AsyncConnection) -> None:
        """As long as the checkpoint stands where this process left it, no other build has taken this one's place.

        Raises:
            Superseded: the tables were built by newer code; a worker of the old release has not ended yet.
        """
        newer = await connection.scalar(_NEWER, {"projection": self.name, "version": self._version})
        if newer is not None:
            raise Superseded(self.name, running=self._version, serving=newer)

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        """Apply a slice's events set-based, inside the slice's transaction."""
        await self._apply(connection, events)
