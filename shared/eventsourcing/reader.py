"""A reader applies one partition's slice in one transaction: fence, chain, apply, checkpoint, commit."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeAlias, TypeVar, runtime_checkable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.causes import BEHIND, Cause, cause_of, malformed
from shared.eventsourcing.checkpoints import NOT_STARTED, Checkpoint, CheckpointMissing
from shared.eventsourcing.counts import ReaderCounts
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.dead_letters import ParkedRecord
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.line_ids import ids_in
from shared.eventsourcing.progress import Progress, joined
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.tracing import OFF, Tracing
from shared.eventsourcing.walk import Record, Walk, walk
from shared.schemas.envelope import Envelope, MalformedEnvelope, from_headers
from shared.schemas.event import EventTypes, UnknownEvent

_RERUNS: Final = 6

log = structlog.get_logger(__name__)

_Done = TypeVar("_Done")
Committed: TypeAlias = Callable[[], None]


_Apply: TypeAlias = Callable[[AsyncConnection, Sequence[tuple[Record, Envelope]]], Awaitable[list[Committed]]]


class Applier(Protocol):
    """What a reader does with events: fill read models, or react."""

    @property
    def name(self) -> str: ...
    @property
    def topics(self) -> tuple[str, ...]: ...
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


class Reader:
    """Applies slices for one projection or reaction. `fence` and `follow` are the guards that tests take away."""

    def __init__(
        self,
        engine: AsyncEngine,
        types: EventTypes,
        applier: Applier,
        *,
        cap: int = dead_letters.CAP,
        fence: bool = True,
        follow: Callable[[Checkpoint, Sequence[Record]], Walk] = walk,
        tracing: Tracing = OFF,
    ) -> None:
        self.name = applier.name
        self.topics = applier.topics
        self.engine = engine
        self.counts = ReaderCounts()
        self._types = types
        self._applier = applier
        self._cap = cap
        self._fence = fence
        self._follow = follow
        self._tracing = tracing
        self._size = self._largest = applier.largest_slice
        self.transaction_ended: Callable[[], None] = lambda: None

    async def process(self, topic: str, partition: int, records: Sequence[Record]) -> Progress:
        """Apply one partition's records and move its checkpoint, or leave what was not applied to be read again.

        The records are applied in slices; a database that cuts a transaction off gets smaller ones.

        Raises:
            Exception: the records must be read again: a database that is down, a conflict that lasted. What an event
                itself causes is parked and does not raise.
        """
        progress: Progress | None = None
        size, start = self._size, 0
        try:
            while start < len(records) and not (progress and progress.stopped):
                progress = joined(progress, await self._apply(topic, partition, records[start : start + size]))
                start += size
        except Exception as error:
            if is_transient(error):
                self._size = max(1, min(size, len(records)) // 2)
            raise
        self._size = min(self._largest, 2 * size)
        if progress is None:
            raise ValueError("a slice has at least one record")
        return progress

    async def _apply(self, topic: str, partition: int, records: Sequence[Record]) -> Progress:
        """One slice; one that holds poison is halved until the culprit is alone, which is parked."""
        try:
            return await rerun_in_conflict(lambda: self._slice(topic, partition, records, self.apply_together))
        except Exception as error:
            if is_transient(error) or isinstance(error, Conflict):
                raise
            if len(records) == 1:
                return await rerun_in_conflict(lambda: self._slice(topic, partition, records, self._or_park))
            log.warning("reader.slice_poisoned", reader=self.name, records=len(records), error=type(error).__name__)
        half = len(records) // 2
        progress = await self._apply(topic, partition, records[:half])
        return progress if progress.stopped else joined(progress, await self._apply(topic, partition, records[half:]))

    async def _slice(self, topic: str, partition: int, records: Sequence[Record], apply: _Apply) -> Progress:
        try:
            return await self._transaction(topic, partition, records, apply)
        finally:
            self.transaction_ended()

    async def _transaction(self, topic: str, partition: int, records: Sequence[Record], apply: _Apply) -> Progress:
        began = time.perf_counter()
        async with self.engine.begin() as connection:
            checkpoint = await checkpoints.lock(connection, self.name, topic, partition, fence=self._fence)
            if checkpoint.stopped:
                return Progress(checkpoint.position, checkpoint.next_offset, stopped=True)
            if checkpoint.next_offset == NOT_STARTED:
                raise CheckpointMissing(f"{self.name} has not been told where to start in {topic}/{partition}")
            path = self._follow(checkpoint, records)
            followed = (envelope.traceparent for _, envelope in path.fresh)
            with self._tracing.span(f"apply {self.name}", "consumer", following=followed, events=len(path.fresh)):
                committed = await apply(connection, await self._not_parked(connection, path))
                stopped = await self._leave(connection, checkpoint, path)
        for call in committed:
            call()
        self.counts.committed(path, began=began)
        return Progress(path.position, path.next_offset, hole=path.hole, repeated=path.skipped > 0, stopped=stopped)

    async def _not_parked(self, connection: AsyncConnection, path: Walk) -> list[tuple[Record, Envelope]]:
        """What may be applied: malformed records, and events behind a dead letter of their stream, are parked."""
        for record, reason in path.malformed:
            await self._park(connection, record, None, malformed(reason))
        if not path.fresh:
            return []
        streams = {envelope.subject for _, envelope in path.fresh}
        parked = await dead_letters.parked_streams(connection, self.name, sorted(streams))
        for record, envelope in path.fresh:
            if envelope.subject in parked:
                await self._park(connection, record, envelope, BEHIND)
        return [(record, envelope) for record, envelope in path.fresh if envelope.subject not in parked]

    async def apply_together(
        self, connection: AsyncConnection, fresh: Sequence[tuple[Record, Envelope]]
    ) -> list[Committed]:
        """Apply events in a transaction that holds their checkpoint; what is returned is called after its commit."""
        events = [e for e in (self._decoded(record, envelope) for record, envelope in fresh) if e is not None]
        if not events:
            return []
        done = await self._applier.apply(connection, events)
        return [done] if done else []

    async def _or_park(self, connection: AsyncConnection, fresh: Sequence[tuple[Record, Envelope]]) -> list[Committed]:
        """Apply what is known to fail, behind a savepoint, and park it when it does."""
        if not fresh:
            return []
        record, envelope = fresh[0]
        try:
            async with connection.begin_nested():
                return await self.apply_together(connection, fresh)
        except Exception as error:
            if is_transient(error) or isinstance(error, Conflict):
                raise
            await self._park(connection, record, envelope, cause_of(error, record.value))
            return []

    def _decoded(self, record: Record, envelope: Envelope) -> Recorded | None:
        event = self._types.decode(envelope.type, record.value or b"")
        if isinstance(event, UnknownEvent):
            self.counts.unknown += 1
            self.counts.unknown_types.add(event.event_type)
            return None
        return Recorded(event, envelope)

    async def _park(self, connection: AsyncConnection, record: Record, envelope: Envelope | None, cause: Cause) -> None:
        self.counts.parked += 1
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset} | ids_in(record.headers)
        log.error("reader.parked", reader=self.name, **where, error=cause.error, waiting_for=cause.waiting_for)
        stream = envelope.subject if envelope else None
        await dead_letters.park(connection, self.name, record, stream=stream, cause=cause)

    async def _leave(self, connection: AsyncConnection, checkpoint: Checkpoint, path: Walk) -> bool:
        """Move the checkpoint; stop the partition after a fork or too many dead letters. Whether it stopped."""
        await checkpoints.move(
            connection,
            self.name,
            checkpoint,
            log_id=path.log_id,
            position=path.position,
            next_offset=path.next_offset,
        )
        reason = path.forked
        if reason is None and self.counts.parked and await dead_letters.count(connection, self.name) > self._cap:
            reason = f"{dead_letters.TOO_MANY}: more than {self._cap} events that cannot be applied"
        if reason is None:
            return False
        log.error(
            "reader.stopped", reader=self.name, topic=checkpoint.topic, partition=checkpoint.partition, why=reason
        )
        await checkpoints.stop(connection, self.name, checkpoint, reason, seen_log_id=path.seen_log_id)
        return True

    async def stop(self, topic: str, partition: int, reason: str, *, position: int) -> None:
        """Stop a partition whose hole behind this position is real, unless it has moved on meanwhile."""
        async with self.engine.begin() as connection:
            checkpoint = await checkpoints.lock(connection, self.name, topic, partition)
            if checkpoint.position != position:
                return
            await checkpoints.stop(connection, self.name, checkpoint, reason)
        log.error("reader.stopped", reader=self.name, topic=topic, partition=partition, why=reason)

    async def retry(self, stream: str, topic: str, partition: int) -> bool:
        """Apply a parked stream's records in order, up to the first that still waits or fails; whether none is left.

        Raises:
            Exception: nothing was applied, and nothing was the event's fault.
        """
        committed: list[Committed] = []
        async with self.engine.begin() as connection:
            checkpoint = await checkpoints.lock(connection, self.name, topic, partition)
            parked = [] if checkpoint.stopped else await dead_letters.of_stream(connection, self.name, stream)
            left = bool(checkpoint.stopped)
            for record in parked:
                done = await self._again(connection, record)
                if left := done is None:
                    break
                committed += done or []
        for call in committed:
            call()
        return not left

    async def forgo(self, connection: AsyncConnection, given_up: ParkedRecord) -> None:
        """A record that a person gave up is not to come back with the next reading of the log."""
        with suppress(MalformedEnvelope):
            envelope = from_headers(given_up.headers)
            if isinstance(self._applier, Forgoing) and isinstance(envelope, Envelope):
                await self._applier.forgo(connection, envelope)

    async def _again(self, connection: AsyncConnection, record: ParkedRecord) -> list[Committed] | None:
        """Apply one parked record and take it out; None: it stays, with its cause."""
        try:
            async with connection.begin_nested():
                envelope = from_headers(record.headers)
                fresh = [(record, envelope)] if isinstance(envelope, Envelope) else []
                committed = await self.apply_together(connection, fresh)
                await dead_letters.remove(connection, record)
                return committed
        except Exception as error:
            if is_transient(error) or isinstance(error, Conflict):
                raise
            await dead_letters.keep(connection, record, cause_of(error, record.value))
            return None


async def rerun_in_conflict(work: Callable[[], Awaitable[_Done]]) -> _Done:
    """Do a transaction again that others were faster than.

    Raises:
        Conflict: they were, several times in a row.
    """
    for rerun in range(_RERUNS):
        try:
            return await work()
        except Conflict:
            if rerun == _RERUNS - 1:
                raise
            await asyncio.sleep(random.uniform(0, 0.005 * 2**rerun))  # noqa: S311 - jitter, not a secret
    raise AssertionError("unreachable")
