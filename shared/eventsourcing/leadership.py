"""One lead of a relay: chunks of the log on their way to the topic, the chain, and a look at where the topic ends."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.batches import Batches
from shared.eventsourcing.counts import RelayCounts
from shared.eventsourcing.database import borrowed
from shared.eventsourcing.errors import TopicShrank
from shared.eventsourcing.lease import Lead, Lease, Link
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.pulse import Pulse
from shared.eventsourcing.reconciliation import last_records, reconcile, without_beginning
from shared.eventsourcing.store import Metadata
from shared.eventsourcing.stored_headers import StoredHeaders
from shared.eventsourcing.tracing import Tracing
from shared.schemas.envelope import LogMark, mark_to_headers

_POLL_SECONDS: Final = 0.03  # when no bell wakes it
_QUIET_POLL_SECONDS: Final = 0.1  # after a second without an event: what an idle worker costs is mostly asking
_CHUNK: Final = 2_000
SEND_SECONDS: Final = 20.0
"""What a broker is given to answer."""
_EMPTIED_SECONDS: Final = 5.0
"""How often an idle relay looks whether the topic still ends where it left it."""
MARK_SECONDS: Final = 60.0
"""At most how often each partition gets a log mark after traffic."""

_HORIZON: Final = "select case when exists (select from events where position > $1) then horizon() end"
"""Null: there is nothing behind the position, and nobody who appends was waited for."""
_READ: Final = """select position, stream, version, event_id, type, data, metadata, recorded_at
                    from events where position > $1 and position <= $2 order by position limit $3"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A service's log and its topic, whoever leads: what each lead works with, and what it counts."""

    engine: AsyncEngine
    topic: str
    source: str
    lease: Lease
    mark_seconds: float
    counts: RelayCounts
    pulse: Pulse
    tracing: Tracing


class Leadership:
    """One lead: the position and the chain as they move, and what was last seen of the topic."""

    def __init__(
        self,
        publication: Publication,
        lead: Lead,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        rung: asyncio.Event,
    ) -> None:
        self._publication = publication
        self._rung = rung
        self._lead = lead
        self._producer = producer
        self._consumer = consumer
        self.pending = False
        self._position = lead.position
        self._chain: dict[int, Link] = dict(lead.chain)
        self._reading: asyncio.Task[Sequence[Any]] | None = None
        self._headers = StoredHeaders(source=publication.source, log_id=lead.log_id)
        self._marked: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._marked_at = self._looked = self._published_at = time.monotonic()

    async def begin(self) -> None:
        """Find out from where to publish, and put the checkpoint there if Kafka holds less than it says."""
        engine, topic = self._publication.engine, self._publication.topic
        last = await last_records(self._consumer, topic, self._lead.partitions)
        emptied = await without_beginning(self._consumer, topic, last)
        if emptied:
            log.warning("relay.topic_emptied", topic=topic, partitions=sorted(emptied))
        self._position, self._chain = await reconcile(engine, topic, self._lead, last, emptied=emptied)
        await self._publication.lease.move(self._lead.epoch, self._position, self._chain)

    async def step(self) -> None:
        """Publish a chunk if there is one; else mark the ends, look at the topic, and wait."""
        if await self._publish():
            return
        now = time.monotonic()
        if now - self._marked_at > self._publication.mark_seconds:
            await self._mark()
            self._marked_at = now
        if now - self._looked > _EMPTIED_SECONDS:
            await self._look()
            self._looked = now
        quiet = now - self._published_at > 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_POLL_SECONDS if quiet else _POLL_SECONDS):
                await self._rung.wait()
        self._rung.clear()

    async def _publish(self) -> int:
        """Send the next chunk, await every record, then move the checkpoint; how many events there were."""
        rows, began = await self._next(), time.perf_counter()
        if not rows:
            return 0
        traceparents = (Metadata.decode(row["metadata"]).traceparent for row in rows)
        publishing = f"publish {self._publication.topic}"
        with self._publication.tracing.span(publishing, "producer", following=traceparents, events=len(rows)):
            chain = await self._send_all(rows)
            await self._publication.lease.move(self._lead.epoch, rows[-1]["position"], chain)
        self._position, self._chain, self._published_at = rows[-1]["position"], chain, time.monotonic()
        self._publication.counts.acknowledged(rows, began=began)
        self._publication.pulse.progressed()
        return len(rows)

    async def _send_all(self, rows: Sequence[Any]) -> dict[int, Link]:
        """Send a chunk and await every record; the chain behind it."""
        chain, batches = dict(self._chain), Batches(self._producer, self._publication.topic)
        async with asyncio.timeout(SEND_SECONDS):
            for row in rows:
                partition = partition_of(row["stream"], self._lead.partitions)
                if row["position"] <= chain[partition].position:
                    continue  # this partition held it when the lead began
                await self._send(batches, row, partition, chain[partition].position)
                chain[partition] = Link(row["position"], row["event_id"])
        await self._acknowledged(batches)
        return chain

    async def _next(self) -> Sequence[Any]:
        """The next chunk; of a backlog, the one behind it is read while this one is sent."""
        reading, self._reading = self._reading, None
        rows = await (reading or self._read(self._position))
        if len(rows) == _CHUNK:
            self._reading = asyncio.create_task(self._read(rows[-1]["position"]))
        return rows

    async def aclose(self) -> None:
        """Read nothing more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, after: int) -> Sequence[Any]:
        """The events behind this position in position order, none of whose predecessors can still become visible."""
        async with borrowed(self._publication.engine) as raw:
            horizon = await self._horizon(raw, after)
            self.pending = horizon is not None
            return await raw.fetch(_READ, after, horizon, _CHUNK) if horizon else []

    async def _horizon(self, raw: Any, after: int) -> int | None:
        try:
            return await raw.fetchval(_HORIZON, after)
        except asyncpg.LockNotAvailableError:
            return 0  # an append is long; let those that wait behind us go first

    async def _send(self, batches: Batches, row: Any, partition: int, previous: int) -> None:
        key = row["stream"].encode()
        await batches.add(
            partition,
            key,
            row["data"].encode(),
            headers=self._headers.of(row, previous_position=previous, key=key),
            timestamp_ms=int(row["recorded_at"].timestamp() * 1000),
        )

    async def _mark(self) -> None:
        """Tell each partition that got events its last position, so that a lost last record is noticed too."""
        batches = Batches(self._producer, self._publication.topic)
        for partition, link in self._chain.items():
            if link.position > self._marked.get(partition, 0):
                mark = LogMark(self._lead.log_id, link.position, link.event_id)
                await batches.add(partition, None, b"", headers=mark_to_headers(mark), timestamp_ms=None)
                self._marked[partition] = link.position
        await self._acknowledged(batches)

    async def _acknowledged(self, batches: Batches) -> None:
        """Wait until the broker has every record; the first failure is the failure of all."""
        async with asyncio.timeout(SEND_SECONDS):
            every = await batches.acknowledged()
        for sent in every:
            if sent.offset < self._sent.get(sent.partition, 0):
                raise TopicShrank(f"{self._publication.topic}/{sent.partition} continues at offset {sent.offset}")
            self._sent[sent.partition] = sent.offset

    async def _look(self) -> None:
        """An emptied topic ends before where it ended when it was last looked at."""
        partitions = [TopicPartition(self._publication.topic, p) for p in range(self._lead.partitions)]
        async with asyncio.timeout(SEND_SECONDS):
            ends = await self._consumer.end_offsets(partitions)
        for tp, end in ends.items():
            if end < self._ends.get(tp.partition, 0):
                raise TopicShrank(f"{tp.topic}/{tp.partition} ends at {end}, not at {self._ends[tp.partition]}")
            self._ends[tp.partition] = end
