"""A reader applies a slice in one transaction: fence, chain, apply, checkpoint, commit."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.eventsourcing import checkpoints, dead_letters
from shared.eventsourcing.applier import Applier, Committed, Forgoing, Yielding
from shared.eventsourcing.causes import cause_of
from shared.eventsourcing.checkpoints import NOT_STARTED, Checkpoint, CheckpointMissing
from shared.eventsourcing.concerns import Concerns
from shared.eventsourcing.counts import ReaderCounts
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.dead_letters import ParkedRecord
from shared.eventsourcing.errors import Conflict
from shared.eventsourcing.parking import Parking
from shared.eventsourcing.passing import Passing
from shared.eventsourcing.progress import Progress, joined, progress_of
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.reruns import rerun_in_conflict
from shared.eventsourcing.tracing import OFF, Tracing
from shared.eventsourcing.walk import Part, Record, Walk, walk
from shared.schemas.envelope import Envelope, MalformedEnvelope, from_headers
from shared.schemas.event import EventTypes, UnknownEvent

log = structlog.get_logger(__name__)

_Apply: TypeAlias = Callable[[AsyncConnection, Sequence[tuple[Record, Envelope]]], Awaitable[list[Committed]]]


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
        passing: Passing | None = None,
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
        self._concerns = Concerns(types, applier.events)
        self._left: dict[tuple[str, int], Checkpoint] = {}
        self._parking = Parking(self.name, self.counts)
        self._passing = passing or Passing(engine)
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
                progress = joined(progress, await self._apply(Part(topic, partition, records[start : start + size])))
                start += size
        except Exception as error:
            self._failed(error, min(size, len(records)))
            raise
        self._size = min(self._largest, 2 * size)
        if progress is None:
            raise ValueError("a slice has at least one record")
        return progress

    async def process_together(self, parts: Sequence[Part]) -> list[Progress] | None:
        """Apply what came of several partitions in one transaction; None: it is too much for one.

        Raises:
            Exception: nothing was applied; each partition by itself finds out whose fault it was.
        """
        records = sum(len(part.records) for part in parts)
        if records > self._size:
            return None
        try:
            return await rerun_in_conflict(lambda: self._slice(parts, self._applied))
        except Exception as error:
            self._failed(error, records)
            raise

    def _failed(self, error: Exception, records: int) -> None:
        """A database that cuts a transaction off gets smaller ones."""
        if is_transient(error):
            self._size = max(1, records // 2)

    async def _apply(self, part: Part) -> Progress:
        """One slice; one that holds poison is halved until the culprit is alone, which is parked."""
        try:
            return (await rerun_in_conflict(lambda: self._slice([part], self._applied)))[0]
        except Exception as error:
            if is_transient(error) or isinstance(error, Conflict):
                raise
            if len(part.records) == 1:
                return (await rerun_in_conflict(lambda: self._slice([part], self._or_park)))[0]
            found = {"records": len(part.records), "error": type(error).__name__}
            log.warning("reader.slice_poisoned", reader=self.name, **found)
        half = len(part.records) // 2
        progress = await self._apply(replace(part, records=part.records[:half]))
        if progress.stopped:
            return progress
        return joined(progress, await self._apply(replace(part, records=part.records[half:])))

    async def _slice(self, parts: Sequence[Part], apply: _Apply) -> list[Progress]:
        try:
            return await self._pass_over(parts) or await self._transaction(parts, apply)
        finally:
            self.transaction_ended()

    async def _pass_over(self, parts: Sequence[Part]) -> list[Progress] | None:
        """Move on over records that mean nothing to the applier, in one statement; None: these do, or may do."""
        starts = [self._left.get(part.place) for part in parts] if self._fence else []
        known = [start for start in starts if start is not None]
        if len(known) < len(parts) or any(self._concerns.may_find(part.records) for part in parts):
            return None
        began = time.perf_counter()
        steps = [(start, self._follow(start, part.records)) for start, part in zip(known, parts, strict=True)]
        if any(path.malformed or path.forked or self._concerns.any(path) for _, path in steps):
            return None
        if not await self._passing.over(self.name, [path.move(start) for start, path in steps]):
            return None
        self._committed(steps, began=began)
        return [progress_of(path) for _, path in steps]

    async def _transaction(self, parts: Sequence[Part], apply: _Apply) -> list[Progress]:
        began = time.perf_counter()
        async with self.engine.begin() as connection:
            steps, moved = await self._held(connection, parts)
            moving = [(checkpoint, path) for checkpoint, path in steps if not checkpoint.stopped]
            paths = [path for _, path in moving]
            followed = (envelope.traceparent for path in paths for _, envelope in path.fresh)
            events = sum(len(path.fresh) for path in paths)
            with self._tracing.span(f"apply {self.name}", "consumer", following=followed, events=events):
                await self._parking.park_malformed(connection, paths)
                committed = await apply(connection, await self._to_apply(connection, moving))
                if not moved:
                    await checkpoints.move(connection, self.name, [path.move(start) for start, path in moving])
                stopped = await self._stop_where_needed(connection, moving)
        for call in committed:
            call()
        self._committed(moving, began=began)
        for place in stopped:
            del self._left[place]
        return [progress_of(path, stopped=bool(c.stopped) or (c.topic, c.partition) in stopped) for c, path in steps]

    async def _held(
        self, connection: AsyncConnection, parts: Sequence[Part]
    ) -> tuple[list[tuple[Checkpoint, Walk]], bool]:
        """The checkpoints, held until the transaction ends, and where the records lead; whether they stand there now.

        Several are locked, since that is done in one order.
        """
        start = self._left.get(parts[0].place) if self._fence and len(parts) == 1 else None
        if start is not None:
            step = self._step(start, parts[0])
            if await checkpoints.move_first(connection, self.name, step[1].move(start)):
                return [step], True
        held = await checkpoints.lock_all(connection, self.name, [part.place for part in parts], fence=self._fence)
        return [self._step(checkpoint, part) for checkpoint, part in zip(held, parts, strict=True)], False

    async def _to_apply(
        self, connection: AsyncConnection, steps: Sequence[tuple[Checkpoint, Walk]]
    ) -> Sequence[tuple[Record, Envelope]]:
        """The events that concern the applier, unless they stand behind a dead letter."""
        places = {(c.topic, c.partition): c for c, _ in steps}
        changed = {place for place, c in places.items() if not self._fence or self._left.get(place) != c}
        if changed:
            await self._admit(connection)
        fresh = [one for _, path in steps for one in path.fresh if self._concerns(one[1])]
        return await self._parking.to_apply(connection, fresh, changed=changed)

    async def _admit(self, connection: AsyncConnection) -> None:
        if isinstance(self._applier, Yielding):
            await self._applier.admit(connection)

    def _step(self, checkpoint: Checkpoint, part: Part) -> tuple[Checkpoint, Walk]:
        """A partition that is stopped goes nowhere."""
        if checkpoint.next_offset == NOT_STARTED and not checkpoint.stopped:
            raise CheckpointMissing(f"{self.name} has not been told where to start in {part.topic}/{part.partition}")
        return checkpoint, self._follow(checkpoint, [] if checkpoint.stopped else part.records)

    def _committed(self, steps: Sequence[tuple[Checkpoint, Walk]], *, began: float) -> None:
        for start, path in steps:
            left = replace(start, log_id=path.log_id, position=path.position, next_offset=path.next_offset)
            self._left[start.topic, start.partition] = left
        self.counts.committed([path for _, path in steps], began=began)

    async def apply_together(
        self, connection: AsyncConnection, fresh: Sequence[tuple[Record, Envelope]]
    ) -> list[Committed]:
        """Apply events in a transaction that holds their checkpoint; what is returned is called after its commit."""
        await self._admit(connection)
        return await self._applied(connection, fresh)

    async def _applied(self, connection: AsyncConnection, fresh: Sequence[tuple[Record, Envelope]]) -> list[Committed]:
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
            await self._parking.park(connection, record, envelope, cause_of(error, record.value))
            return []

    def _decoded(self, record: Record, envelope: Envelope) -> Recorded | None:
        event = self._types.decode(envelope.type, data := record.value or b"")
        self.counts.decoded(event, data)
        return None if isinstance(event, UnknownEvent) else Recorded(event, envelope)

    async def _stop_where_needed(
        self, connection: AsyncConnection, steps: Sequence[tuple[Checkpoint, Walk]]
    ) -> set[tuple[str, int]]:
        """Stop partitions after a fork or too many dead letters; which."""
        too_many = None
        if self.counts.parked and await dead_letters.count(connection, self.name) > self._cap:
            too_many = f"{dead_letters.TOO_MANY}: more than {self._cap} events that cannot be applied"
        stopped: set[tuple[str, int]] = set()
        for checkpoint, path in steps:
            if (reason := path.forked or too_many) is None:
                continue
            where = {"topic": checkpoint.topic, "partition": checkpoint.partition}
            log.error("reader.stopped", reader=self.name, **where, why=reason)
            await checkpoints.stop(connection, self.name, checkpoint, reason, seen_log_id=path.seen_log_id)
            stopped.add((checkpoint.topic, checkpoint.partition))
        return stopped

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
