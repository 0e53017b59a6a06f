"""A follower: a reader that never overtakes another, so that the two can be met at the same positions."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import checkpoints
from shared.eventsourcing.applier import Applier
from shared.eventsourcing.checkpoints import Checkpoint, CheckpointMissing
from shared.eventsourcing.progress import Progress
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.walk import Part, Record
from shared.schemas.envelope import Envelope, MalformedEnvelope, from_headers
from shared.schemas.event import EventTypes


class Follower(Reader):
    """Applies what the reader `ahead` has applied. Where that one stands still, or follows another log, it goes on."""

    def __init__(self, engine: AsyncEngine, types: EventTypes, applier: Applier, *, ahead: str) -> None:
        super().__init__(engine, types, applier)
        self._ahead = ahead

    async def process(self, topic: str, partition: int, records: Sequence[Record]) -> Progress:
        """As a reader does, up to where the other one is; the rest is held."""
        try:
            own, ahead = await self._both(topic, partition)
        except CheckpointMissing:  # it has been switched or cancelled: there is nothing left to do
            return Progress(0, checkpoints.NOT_STARTED, stopped=True)
        allowed = allowed_by(ahead, own, records)
        if len(allowed) == len(records):
            return await super().process(topic, partition, records)
        held_at = records[len(allowed)].offset
        if not allowed:
            return Progress(own.position, own.next_offset, held_at=held_at)
        return replace(await super().process(topic, partition, allowed), held_at=held_at)

    async def process_together(self, parts: Sequence[Part]) -> list[Progress] | None:  # noqa: ARG002 - a reader's
        """Each partition by itself: any of them may have to be held."""
        return None

    async def _both(self, topic: str, partition: int) -> tuple[Checkpoint, Checkpoint]:
        async with self.engine.connect() as connection:
            own = await checkpoints.lock(connection, self.name, topic, partition, fence=False)
            return own, await checkpoints.lock(connection, self._ahead, topic, partition, fence=False)


def allowed_by(ahead: Checkpoint, own: Checkpoint, records: Sequence[Record]) -> Sequence[Record]:
    """The records before the first that lies beyond the checkpoint `ahead`."""
    if not comparable(ahead, own) or _passed(ahead, records[-1]):
        return records
    for n, record in enumerate(records):
        try:
            envelope = from_headers(record.headers)
        except MalformedEnvelope:
            continue
        superseded = ahead.log_id is not None and envelope.log_id < ahead.log_id
        if isinstance(envelope, Envelope) and envelope.position > ahead.position and not superseded:
            return records[:n]
    return records


def _passed(ahead: Checkpoint, record: Record) -> bool:
    """Whether `ahead` has read on behind this record, and hence behind those before it, without reading them all.

    Its offset alone would not do: a topic that was emptied and filled again begins anew.
    """
    try:
        envelope = from_headers(record.headers)
    except MalformedEnvelope:
        return False
    applied = not isinstance(envelope, Envelope) or envelope.position <= ahead.position
    return applied and record.offset < ahead.next_offset


def comparable(ahead: Checkpoint, own: Checkpoint) -> bool:
    """Whether two checkpoints speak of the same log, and the first still moves."""
    return ahead.stopped is None and (ahead.log_id is None or own.log_id is None or ahead.log_id == own.log_id)
