"""The projector: what a reader does for a projection."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded


class Projector:
    """Applies events to one projection's tables."""

    def __init__(self, projection: Projection) -> None:
        self.name = projection.name
        self.topics = projection.topics
        self._apply = projection.apply

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        """Apply a slice's events set-based, inside the slice's transaction."""
        await self._apply(connection, events)
