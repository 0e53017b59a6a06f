"""Exports the topics into Parquet: from offset 0 the first time, then on from the last commit, each event once."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.analytics.folder import Folder
from consumers.analytics.following import Following, Reached, follow_feed, follow_log
from consumers.analytics.reading import CHAINED, FEEDS, partitions_of
from consumers.analytics.rows import Row
from shared.schemas.published import ALL

EVENTS_A_COMMIT: Final = 50_000
_KNOWN: Final = ALL.models.keys() | ALL.upcasters.keys()
_NO_LOG: Final = "none"
_ANSWER_SECONDS: Final = 60.0
_BEYOND_SECONDS: Final = 2.0
"""How long it reads on behind that end while records come."""
_DRY_SECONDS: Final = 0.5
"""How long nothing must come behind the reported end: a broker may report that of the batch before the last."""


@dataclass(slots=True)
class Export:
    """One run into one folder."""

    folder: Folder
    ways: Mapping[TopicPartition, Following]
    events_a_commit: int = EVENTS_A_COMMIT
    rows: list[Row] = field(default_factory=list[Row])
    void: dict[TopicPartition, str] = field(default_factory=dict[TopicPartition, str])
    added: Counter[str] = field(default_factory=Counter[str])
    """New events, by topic."""
    unknown: Counter[str] = field(default_factory=Counter[str])
    """New events that this release knows no type of, by type: kept like any other."""

    def reached(self, place: TopicPartition) -> Reached:
        """How far the partition is; it is part of the next commit."""
        return self.folder.manifest.partitions.setdefault(place.topic, {}).setdefault(place.partition, Reached())

    def take(self, place: TopicPartition, records: Iterable[Any]) -> None:
        """What these records add, committed when there is enough of it."""
        reached = self.reached(place)
        for record in records:
            before = reached.log_id
            row = self.ways[place](reached, record)
            if reached.log_id != before and before.int:
                self._forget(place, str(reached.log_id))
            if row is not None:
                self._keep(row)
        if len(self.rows) >= self.events_a_commit:
            self.commit()

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        self.added[row.topic] += 1
        if row.event_type not in _KNOWN:
            self.unknown[row.event_type] += 1

    def _forget(self, place: TopicPartition, log_id: str) -> None:
        self.void[place] = log_id
        self.rows = [row for row in self.rows if (row.topic, row.partition) != place or row.log_id == log_id]

    def commit(self) -> None:
        """Rows and positions, both or neither."""
        self.folder.commit(self.rows, self.void)
        self.rows, self.void = [], {}

    def holes(self) -> list[TopicPartition]:
        """The partitions in which something is missing."""
        return [place for place in self.ways if self.reached(place).missing]


async def export(
    bootstrap: str,
    folder: Folder,
    *,
    topics: Iterable[str] = (*CHAINED, *FEEDS),
    events_a_commit: int = EVENTS_A_COMMIT,
) -> Export:
    """Everything that the topics hold when it begins, and was not exported before.

    Raises:
        TopicMissing, LogReplaced, LogForked: what stands in the way; what was committed stays.
        aiokafka.errors.KafkaError, TimeoutError: the broker does not answer.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        ways: dict[TopicPartition, Following] = {}
        for topic in topics:
            way = follow_feed if topic in FEEDS else follow_log
            ways |= dict.fromkeys(await partitions_of(consumer, topic), way)
        run = Export(folder, ways, events_a_commit)
        await _go_on(consumer, run)
        run.commit()
        if holes := run.holes():  # what is missing may stand before what we started from: the topic was filled anew
            consumer.assign(holes)
            await consumer.seek_to_beginning(*holes)
            await _read(consumer, run, await consumer.end_offsets(holes))
            run.commit()
    finally:
        await consumer.stop()
    return run


async def _go_on(consumer: AIOKafkaConsumer, run: Export) -> None:
    """Each partition from the last commit; one that ends before that was emptied, and is read from its beginning."""
    places = list(run.ways)
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    for place, end in ends.items():
        reached = run.reached(place)
        if reached.first_end is None:
            reached.first_end = end
        if end < reached.offset:
            _begin_again(run, place)
        consumer.seek(place, reached.offset)
    await _read(consumer, run, ends)


def _begin_again(run: Export, place: TopicPartition) -> None:
    """A log's positions tell what comes again; a feed has none: its rows are those of the topic as it is now."""
    reached = run.reached(place)
    reached.offset, reached.first_end = 0, 0
    if run.ways[place] is follow_feed:
        run.void[place] = _NO_LOG


async def _read(consumer: AIOKafkaConsumer, run: Export, ends: Mapping[TopicPartition, int]) -> None:
    """Up to these ends, and what comes right behind them."""
    came = arrived = time.monotonic()
    while True:
        async with asyncio.timeout(_ANSWER_SECONDS):
            batches = await consumer.getmany(timeout_ms=100)
        for place, batch in batches.items():
            run.take(place, batch)
        now = time.monotonic()
        came = now if batches else came
        if not await _at(consumer, ends):
            arrived = now
        elif now - came > _DRY_SECONDS or now - arrived > _BEYOND_SECONDS:
            return


async def _at(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(place) >= end for place, end in ends.items()])
