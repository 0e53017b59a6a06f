"""The relay: what the event store holds goes to Kafka, in position order, without loss, by one leader a service."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Final

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.batches import Batches
from shared.eventsourcing.bell import heard
from shared.eventsourcing.counts import RelayCounts
from shared.eventsourcing.database import driver, is_transient
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import LogForked, TopicShrank, WrongPartitionCount
from shared.eventsourcing.kafka import Kafka, close
from shared.eventsourcing.lease import LEASE_SECONDS, Lead, LeadLost, Lease, Link
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.pulse import Pulse
from shared.eventsourcing.reconciliation import last_records, reconcile, without_beginning
from shared.eventsourcing.store import Metadata
from shared.eventsourcing.stored_headers import StoredHeaders
from shared.eventsourcing.tracing import OFF, Tracing
from shared.schemas.envelope import LogMark, mark_to_headers

_POLL_SECONDS: Final = 0.03  # when no bell wakes it
_QUIET_POLL_SECONDS: Final = 0.1  # after a second without an event: what an idle worker costs is mostly asking
_CHUNK: Final = 2_000
_SEND_SECONDS: Final = 20.0
_RELEASE_SECONDS: Final = 2.0
_EMPTIED_SECONDS: Final = 5.0
"""How often an idle relay looks whether the topic still ends where it left it."""
MARK_SECONDS: Final = 60.0
"""At most how often each partition gets a log mark after traffic."""

_PENDING: Final = "select exists (select from events where position > $1)"
_READ: Final = """select position, stream, version, event_id, type, data, metadata, recorded_at
                    from events where position > $1 and position <= $2 order by position limit $3"""

log = structlog.get_logger(__name__)


class Relay:
    """Publishes one service's log to its topic while it has the lead."""

    def __init__(
        self,
        engine: AsyncEngine,
        kafka: Kafka,
        *,
        topic: str,
        source: str,
        owner: str,
        lease_seconds: float = LEASE_SECONDS,
        mark_seconds: float = MARK_SECONDS,
        tracing: Tracing = OFF,
    ) -> None:
        self.topic = topic
        self.engine = engine
        self._kafka = kafka
        self.source = source
        self.lease = Lease(engine, owner, seconds=lease_seconds)
        self.mark_seconds = mark_seconds
        self.last_error: str | None = None
        self.last_progress = time.monotonic()
        self.pulse = Pulse("relay")
        self.counts = RelayCounts()
        self.tracing = tracing

    async def run(self) -> None:
        """Publish until cancelled; whatever fails is thrown away and begun again from the checkpoint."""
        failures = 0
        while True:
            progress = self.last_progress
            self.pulse.looked()
            try:
                lead = await self.lease.take()
                if lead is None:
                    await asyncio.sleep(self.lease.seconds / 5)
                    continue
                await self._hold(lead)
            except LeadLost:
                log.info("relay.lead_lost", topic=self.topic)
            except Exception as error:
                if not _may_pass(error):
                    raise
                failures = failures + 1 if progress == self.last_progress else 1
                self.last_error = described(error)
                log.warning("relay.failed", topic=self.topic, error=self.last_error)
                await asyncio.sleep(min(5.0, 0.1 * 2 ** min(failures, 6)) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _hold(self, lead: Lead) -> None:
        """Lead, and renew the lead beside it: a slow broker must not cost it. Afterwards another process may try."""
        tasks = [asyncio.create_task(self._lead(lead)), asyncio.create_task(self._renew(lead))]
        self.counts.leads = True
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.cancelled():  # not by us: a client that is closing cancels what is awaited of it
                    raise ConnectionAbortedError("a Kafka client gave up what was awaited of it")
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.counts.leads = False
            await self._release(lead)

    async def _renew(self, lead: Lead) -> None:
        while True:
            await asyncio.sleep(self.lease.seconds / 4)
            await self.lease.renew(lead.epoch)

    async def _release(self, lead: Lead) -> None:
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self.lease.release(lead.epoch)
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("relay.not_released", topic=self.topic, error=described(error))  # it expires

    async def _lead(self, lead: Lead) -> None:
        """Lead until something fails: with a producer of its own, which is thrown away with the lead."""
        producer, consumer = self._kafka.producer(), self._kafka.consumer()
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await producer.start()
                await consumer.start()
            await self._check_partitions(producer, lead)
            async with (
                heard(self.engine) as rung,
                aclosing(Leadership(self, lead, producer, consumer, rung)) as leadership,
            ):
                await leadership.begin()
                while True:
                    await leadership.step()
                    self.pulse.looked(work=leadership.pending)
                    self.last_progress = time.monotonic()
                    self.last_error = None
        except LogForked as fork:
            await self.lease.note(lead.epoch, "forked", str(fork))
            raise
        finally:
            await close(producer, consumer)

    async def _check_partitions(self, producer: AIOKafkaProducer, lead: Lead) -> None:
        async with asyncio.timeout(_SEND_SECONDS):
            actual = len(await producer.partitions_for(self.topic))
        if actual != lead.partitions:
            raise WrongPartitionCount(self.topic, expected=lead.partitions, actual=actual)


class Leadership:
    """One lead: the position and the chain as they move, and what was last seen of the topic."""

    def __init__(
        self, relay: Relay, lead: Lead, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, rung: asyncio.Event
    ) -> None:
        self._relay = relay
        self._rung = rung
        self._lead = lead
        self._producer = producer
        self._consumer = consumer
        self.pending = False
        self._position = lead.position
        self._chain: dict[int, Link] = dict(lead.chain)
        self._reading: asyncio.Task[Sequence[Any]] | None = None
        self._headers = StoredHeaders(source=relay.source, log_id=lead.log_id)
        self._marked: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._marked_at = self._looked = self._published_at = time.monotonic()

    async def begin(self) -> None:
        """Find out from where to publish, and put the checkpoint there if Kafka holds less than it says."""
        topic = self._relay.topic
        last = await last_records(self._consumer, topic, self._lead.partitions)
        emptied = await without_beginning(self._consumer, topic, last)
        if emptied:
            log.warning("relay.topic_emptied", topic=topic, partitions=sorted(emptied))
        self._position, self._chain = await reconcile(self._relay.engine, topic, self._lead, last, emptied=emptied)
        await self._relay.lease.move(self._lead.epoch, self._position, self._chain)

    async def step(self) -> None:
        """Publish a chunk if there is one; else mark the ends, look at the topic, and wait."""
        if await self._publish():
            return
        now = time.monotonic()
        if now - self._marked_at > self._relay.mark_seconds:
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
        publishing = f"publish {self._relay.topic}"
        with self._relay.tracing.span(publishing, "producer", following=traceparents, events=len(rows)):
            chain = await self._send_all(rows)
            await self._relay.lease.move(self._lead.epoch, rows[-1]["position"], chain)
        self._position, self._chain, self._published_at = rows[-1]["position"], chain, time.monotonic()
        self._relay.counts.acknowledged(rows, began=began)
        self._relay.pulse.progressed()
        return len(rows)

    async def _send_all(self, rows: Sequence[Any]) -> dict[int, Link]:
        """Send a chunk and await every record; the chain behind it."""
        chain, batches = dict(self._chain), Batches(self._producer, self._relay.topic)
        async with asyncio.timeout(_SEND_SECONDS):
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
        async with self._relay.engine.connect() as connection:
            raw = await driver(connection)
            self.pending = bool(await raw.fetchval(_PENDING, after))
            if not self.pending:
                return []
            return await raw.fetch(_READ, after, await self._horizon(raw), _CHUNK)

    async def _horizon(self, raw: Any) -> int:
        try:
            return await raw.fetchval("select horizon()")
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
        batches = Batches(self._producer, self._relay.topic)
        for partition, link in self._chain.items():
            if link.position > self._marked.get(partition, 0):
                mark = LogMark(self._lead.log_id, link.position, link.event_id)
                await batches.add(partition, None, b"", headers=mark_to_headers(mark), timestamp_ms=None)
                self._marked[partition] = link.position
        await self._acknowledged(batches)

    async def _acknowledged(self, batches: Batches) -> None:
        """Wait until the broker has every record; the first failure is the failure of all."""
        async with asyncio.timeout(_SEND_SECONDS):
            every = await batches.acknowledged()
        for sent in every:
            if sent.offset < self._sent.get(sent.partition, 0):
                raise TopicShrank(f"{self._relay.topic}/{sent.partition} continues at offset {sent.offset}")
            self._sent[sent.partition] = sent.offset

    async def _look(self) -> None:
        """An emptied topic ends before where it ended when it was last looked at."""
        partitions = [TopicPartition(self._relay.topic, p) for p in range(self._lead.partitions)]
        async with asyncio.timeout(_SEND_SECONDS):
            ends = await self._consumer.end_offsets(partitions)
        for tp, end in ends.items():
            if end < self._ends.get(tp.partition, 0):
                raise TopicShrank(f"{tp.topic}/{tp.partition} ends at {end}, not at {self._ends[tp.partition]}")
            self._ends[tp.partition] = end


def _may_pass(error: Exception) -> bool:
    """Whether beginning again may help: brokers and databases come back, a person may mend a fork."""
    return is_transient(error) or isinstance(error, KafkaError | LogForked | WrongPartitionCount | TopicShrank)
