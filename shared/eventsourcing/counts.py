"""What the parts of the kernel counted since their start: plain numbers, for whoever asks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.eventsourcing.histogram import DELAY_SECONDS, SECONDS, SIZES, Histogram
from shared.eventsourcing.walk import Walk
from shared.schemas.event import Event, UnknownEvent
from shared.schemas.novelty import novelty


def _seconds() -> Histogram:
    return Histogram(SECONDS)


def _sizes() -> Histogram:
    return Histogram(SIZES)


@dataclass(slots=True)
class AppendCounts:
    """Append statements: how long each took (a command on one stream: with the flush to disk), how many events it had.

    `conflicts` counts commands that a statement passed over: their stream had moved, or their key was taken.
    """

    seconds: Histogram = field(default_factory=_seconds)
    events: Histogram = field(default_factory=_sizes)
    conflicts: int = 0

    def appended(self, *, began: float, events: int, conflicts: int) -> None:
        """A statement was executed that began at this `perf_counter`."""
        self.seconds.observe(time.perf_counter() - began)
        self.events.observe(events)
        self.conflicts += conflicts


@dataclass(slots=True)
class RelayCounts:
    """Chunks that a relay published and the broker acknowledged, and whether it leads now."""

    seconds: Histogram = field(default_factory=_seconds)
    events: Histogram = field(default_factory=_sizes)
    published: int = 0
    leads: bool = False

    def acknowledged(self, rows: Sequence[object], *, began: float) -> None:
        """A chunk is published that began at this `perf_counter`."""
        self.seconds.observe(time.perf_counter() - began)
        self.events.observe(len(rows))
        self.published += len(rows)


@dataclass(slots=True)
class ReaderCounts:
    """What a reader did, and what it met that this release does not know.

    `delay`: from a slice's newest event being stored to its being applied, both clocks' word.
    """

    applied: int = 0
    skipped: int = 0
    unknown: int = 0
    parked: int = 0
    unknown_types: set[str] = field(default_factory=set[str])
    unknown_fields: int = 0
    unknown_members: int = 0
    seconds: Histogram = field(default_factory=_seconds)
    events: Histogram = field(default_factory=_sizes)
    delay: Histogram = field(default_factory=lambda: Histogram(DELAY_SECONDS))

    def decoded(self, event: Event | UnknownEvent, data: bytes) -> None:
        """An event was read from this JSON."""
        if isinstance(event, UnknownEvent):
            self.unknown += 1
            self.unknown_types.add(event.event_type)
            return
        newer = novelty(event, data)
        self.unknown_fields += newer.fields
        self.unknown_members += newer.members

    def committed(self, paths: Sequence[Walk], *, began: float) -> None:
        """A slice was committed that began at this `perf_counter`: so far in each of its partitions."""
        self.skipped += sum(path.skipped for path in paths)
        events = sum(len(path.fresh) for path in paths)
        if not events:
            return
        self.applied += events
        self.seconds.observe(time.perf_counter() - began)
        self.events.observe(events)
        newest = max(path.fresh[-1][1].recorded_at for path in paths if path.fresh)
        self.delay.observe(max(0.0, time.time() - newest.timestamp()))
