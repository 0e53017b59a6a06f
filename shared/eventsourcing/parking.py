"""Parking: what a reader sets aside and what waits behind it; where nothing is parked, nothing is asked for."""

from collections.abc import Collection, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing import dead_letters
from shared.eventsourcing.causes import BEHIND, Cause, malformed
from shared.eventsourcing.counts import ReaderCounts
from shared.eventsourcing.line_ids import ids_in
from shared.eventsourcing.walk import Record, Walk
from shared.schemas.envelope import Envelope

log = structlog.get_logger(__name__)


class Parking:
    """One reader's dead letters, and the partitions that are known to have none.

    Only a slice of the same partition parks, and it moves the checkpoint: as long as a row stands where this process
    left it, what was free of dead letters then still is.
    """

    def __init__(self, reader: str, counts: ReaderCounts) -> None:
        self._reader = reader
        self._counts = counts
        self._free: set[tuple[str, int]] = set()

    async def park(self, connection: AsyncConnection, record: Record, envelope: Envelope | None, cause: Cause) -> None:
        """Set a record aside in the slice's transaction."""
        self._counts.parked += 1
        self._free.discard((record.topic, record.partition))
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset} | ids_in(record.headers)
        log.error("reader.parked", reader=self._reader, **where, error=cause.error, waiting_for=cause.waiting_for)
        stream = envelope.subject if envelope else None
        await dead_letters.park(connection, self._reader, record, stream=stream, cause=cause)

    async def park_malformed(self, connection: AsyncConnection, paths: Sequence[Walk]) -> None:
        for path in paths:
            for record, reason in path.malformed:
                await self.park(connection, record, None, malformed(reason))

    async def to_apply(
        self,
        connection: AsyncConnection,
        fresh: Sequence[tuple[Record, Envelope]],
        *,
        changed: Collection[tuple[str, int]],
    ) -> Sequence[tuple[Record, Envelope]]:
        """The events that stand behind no dead letter of their stream; the others are parked.

        `changed` are partitions that others may have parked in.
        """
        self._free.difference_update(changed)
        unsure = {(record.topic, record.partition) for record, _ in fresh} - self._free
        if not unsure:
            return fresh
        parked_in = await dead_letters.parked_in(connection, self._reader)
        self._free |= unsure - parked_in
        if not unsure & parked_in:
            return fresh
        streams = sorted({envelope.subject for _, envelope in fresh})
        parked = await dead_letters.parked_streams(connection, self._reader, streams)
        for record, envelope in fresh:
            if envelope.subject in parked:
                await self.park(connection, record, envelope, BEHIND)
        return [(record, envelope) for record, envelope in fresh if envelope.subject not in parked]
