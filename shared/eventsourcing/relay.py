"""The relay: what the event store holds goes to Kafka, in position order, without loss, by one leader a service."""

import asyncio
import random
import time
from contextlib import aclosing
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.bell import heard
from shared.eventsourcing.counts import RelayCounts
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.described import described
from shared.eventsourcing.errors import LogForked, TopicShrank, WrongPartitionCount
from shared.eventsourcing.kafka import Kafka, close
from shared.eventsourcing.leadership import MARK_SECONDS, SEND_SECONDS, Leadership, Publication
from shared.eventsourcing.lease import LEASE_SECONDS, Lead, LeadLost, Lease
from shared.eventsourcing.pulse import Pulse
from shared.eventsourcing.tracing import OFF, Tracing

_RELEASE_SECONDS: Final = 2.0

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
        self.lease = Lease(engine, owner, seconds=lease_seconds)
        self.last_error: str | None = None
        self.last_progress = time.monotonic()
        self.pulse = Pulse("relay")
        self.counts = RelayCounts()
        self._publication = Publication(
            engine=engine,
            topic=topic,
            source=source,
            lease=self.lease,
            mark_seconds=mark_seconds,
            counts=self.counts,
            pulse=self.pulse,
            tracing=tracing,
        )

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
            async with asyncio.timeout(SEND_SECONDS):
                await producer.start()
                await consumer.start()
            await self._check_partitions(producer, lead)
            async with (
                heard(self.engine) as rung,
                aclosing(Leadership(self._publication, lead, producer, consumer, rung)) as leadership,
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
        async with asyncio.timeout(SEND_SECONDS):
            actual = len(await producer.partitions_for(self.topic))
        if actual != lead.partitions:
            raise WrongPartitionCount(self.topic, expected=lead.partitions, actual=actual)


def _may_pass(error: Exception) -> bool:
    """Whether beginning again may help: brokers and databases come back, a person may mend a fork."""
    return is_transient(error) or isinstance(error, KafkaError | LogForked | WrongPartitionCount | TopicShrank)
