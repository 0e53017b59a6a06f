"""Delivers what a service stored to its own readers, as the relay and Kafka would: for tests without a broker."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.eventsourcing.database import driver
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.stored_envelope import envelope_of
from shared.runtime.service import Runtime
from shared.schemas.envelope import Headers, to_headers
from shared.schemas.partitions import PARTITIONS

_LOG = "select log_id from log"
_EVENTS = """select position, stream, version, event_id, type, data, metadata, recorded_at
               from events where position > $1 order by position"""


@dataclass(frozen=True, slots=True)
class DeliveredRecord:
    """A record as Kafka would hold it."""

    topic: str
    partition: int
    offset: int
    headers: Headers
    value: bytes | None


class Delivery:
    """The way from the service's log to its readers, in memory; each record goes the way once."""

    def __init__(self, runtime: Runtime) -> None:
        service = runtime.service
        self._runtime = runtime
        self._readers = [reader for reader in runtime.readers() if service.topic in reader.topics]
        self._delivered = 0
        self._last = dict.fromkeys(range(PARTITIONS), 0)
        self._offsets = dict.fromkeys(range(PARTITIONS), 0)

    async def deliver(self) -> None:
        """Everything that was stored since the last time; the readers' checkpoints move."""
        slices: dict[int, list[DeliveredRecord]] = defaultdict(list)
        for row, log_id in await self._stored():
            record = self._record(row, log_id)
            slices[record.partition].append(record)
            self._delivered = row["position"]
        for reader in self._readers:
            for partition, records in slices.items():
                await reader.process(self._runtime.service.topic, partition, records)

    async def _stored(self) -> Sequence[tuple[Any, Any]]:
        async with self._runtime.engine.connect() as connection:
            raw = await driver(connection)
            log_id = await raw.fetchval(_LOG)
            return [(row, log_id) for row in await raw.fetch(_EVENTS, self._delivered)]

    def _record(self, row: Any, log_id: Any) -> DeliveredRecord:
        service, partition = self._runtime.service, partition_of(row["stream"], PARTITIONS)
        envelope = envelope_of(
            row, source=f"/trellis/{service.name}", log_id=log_id, previous_position=self._last[partition]
        )
        offset, self._last[partition] = self._offsets[partition], row["position"]
        self._offsets[partition] += 1
        return DeliveredRecord(service.topic, partition, offset, to_headers(envelope), row["data"].encode())
