"""A rebuild: fills a build's tables from the first event on, beside those that serve, and switches when it is there."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from aiokafka.structs import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing import build_acts, build_tables, builds, checkpoints
from shared.eventsourcing.administration import log_status
from shared.eventsourcing.builds import Build
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.described import described
from shared.eventsourcing.follower import Follower
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.meeting import NotNow, Pair, pairs
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.starting_now import last_records_of
from shared.eventsourcing.subscription import Subscription
from shared.eventsourcing.switch import compare, switch
from shared.schemas.event import EventTypes

_TEND_SECONDS: Final = 0.25
_STALLED_SECONDS: Final = 120.0
_AGAIN_SECONDS: Final = 2.0
_CLOSE_SECONDS: Final = 8.0
_SLICES_AT_ONCE: Final = 2
"""One is parsed while the database works for the other; each has one of the build's connections."""
_NEAR: Final = 1_000
"""Records behind what serves, at which it is worth while to hold that one for a moment."""
_SHORTEST_PATIENCE, _LONGEST_PATIENCE = 0.01, 0.04
"""Seconds that queries may be kept waiting by a switch that waits for another query; longer after each try."""
_LONGEST_PAUSE: Final = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a worker rebuilds with: the service's database, broker and event types, its name, and its own topic."""

    engine: AsyncEngine
    kafka: Kafka
    types: EventTypes
    service: str
    topic: str
    partitions: int


class Rebuild:
    """One build that this worker helps to fill; the workers of a service share its partitions by a group of its own."""

    def __init__(self, surroundings: Surroundings, projection: Projection, build: Build) -> None:
        self.build = build
        self._around = surroundings
        self._projection = projection
        self._over = asyncio.Event()
        self._comparison: Mapping[str, Any] | None = None
        self._stored = 0
        self._tries = 0
        self._not_before = 0.0

    def end(self) -> None:
        """Let `run` come to its end."""
        self._over.set()

    async def run(self) -> None:
        """Fill the build until it has been switched, cancelled, or this worker stops; what fails is tried again."""
        while not self._over.is_set():
            try:
                await self._fill()
            except Exception as error:  # noqa: BLE001 - a rebuild in trouble must not take the worker down
                log.warning("rebuild.failed", build=self.build.name, error=described(error))
                with contextlib.suppress(Exception):
                    await self._report(described(error))
                await self._pause(_AGAIN_SECONDS)

    async def _fill(self) -> None:
        await builds.keep_current(self._around.engine, self._projection, self.build)
        await self._follow_youngest_logs()
        async with self._reading() as subscription:
            while not self._over.is_set():
                if (stalled := subscription.reading.stalled(_STALLED_SECONDS)) is not None:
                    raise TimeoutError(stalled)
                await self._tend(subscription)
                await self._pause(_TEND_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[Subscription]:
        around, name = self._around, self.build.name
        path = build_tables.search_path(name)
        engine = create_engine(around.engine.url, pool_size=2, application_name=name, search_path=path)
        broker = around.kafka.broker()
        applier = Projector(replace(self._projection, name=name))
        reader = Follower(engine, around.types, applier, ahead=self._projection.name)
        group = f"{around.service}.{name}"
        subscription = Subscription(
            around.kafka, broker, reader, group=group, partitions=around.partitions, slices_at_once=_SLICES_AT_ONCE
        )
        try:
            await broker.connect()
            await subscription.start()
            yield subscription
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await subscription.stop()
                    await broker.stop()
            await engine.dispose()

    async def _follow_youngest_logs(self) -> None:
        """After a fork a topic holds more than one log: all but the youngest are passed over.

        The service's own may not be published yet, or not all of it: what is stored now has to be, before the switch.
        """
        engine, own = self._around.engine, self._around.topic
        log = await log_status(engine)
        self._stored = log.stored if own in self._projection.topics else 0
        for topic in self._projection.topics:
            last = {} if topic == own else await last_records_of(self._around.kafka, topic)
            youngest = log.log_id if topic == own else max((p.log_id for p in last.values()), default=None)
            if youngest is not None:
                await checkpoints.follow(engine, self.build.name, topic, youngest)

    async def _tend(self, subscription: Subscription) -> None:
        """See how far it is; the worker that reads the first partition compares and switches."""
        async with self._around.engine.connect() as connection:
            standing = await pairs(connection, self.build)
        stopped = [pair.building for pair in standing if pair.building.stopped]
        first = TopicPartition(self._projection.topics[0], 0)
        if not standing or subscription.consumer is None or first not in subscription.consumer.assignment():
            return
        if stopped:
            if not await builds.keep_current(self._around.engine, self._projection, self.build):
                await self._report(f"stopped at {stopped[0].topic}/{stopped[0].partition}: {stopped[0].stopped}")
        elif time.monotonic() >= self._not_before and await self._is_near(subscription, standing):
            await self._try_to_switch()

    async def _is_near(self, subscription: Subscription, standing: Sequence[Pair]) -> bool:
        """Where what serves stands still, or follows another log, the build has to be at the partition's end."""
        behind = sum(max(0, pair.total - pair.read) for pair in standing if pair.comparable)
        alone = {
            TopicPartition(pair.building.topic, pair.building.partition): pair.read
            for pair in standing
            if not pair.comparable
        }
        if behind > _NEAR or not alone or subscription.consumer is None:
            return behind <= _NEAR
        if (await log_status(self._around.engine)).published < self._stored:
            return False
        ends = await subscription.consumer.end_offsets(list(alone))  # asked behind that: all of it is before them
        return all(read >= ends[tp] for tp, read in alone.items())

    async def _try_to_switch(self) -> None:
        """Compare once, at leisure; then switch, unless equality was asked for and is not there."""
        engine, projection = self._around.engine, self._projection
        self._tries += 1
        try:
            if self._comparison is None:
                await self._analyze()
                self._comparison = await compare(engine, projection, self.build)
                await self._report(None)
            if await self._may_differ():
                patience = min(_LONGEST_PATIENCE, _SHORTEST_PATIENCE * self._tries)
                locked = await switch(engine, projection, self.build, patience=patience)
                log.info("rebuild.switched", build=self.build.name, tries=self._tries, locked_ms=round(1_000 * locked))
        except NotNow as reason:
            await self._report(str(reason))
            await builds.keep_current(engine, projection, self.build)
            self._not_before = time.monotonic() + min(_LONGEST_PAUSE, 0.25 * 2 ** min(self._tries, 7))

    async def _may_differ(self) -> bool:
        """Whether the build may serve as it is; an operator may have allowed it meanwhile."""
        if self._comparison is None or self._comparison["equal"]:
            return True
        async with self._around.engine.begin() as connection:
            building = (await builds.read(connection, self._projection)).in_state("building")
        if building is None or not building.require_equal:
            return True
        await self._report("differs from what serves, and equality was asked for")
        return False

    async def _analyze(self) -> None:
        async with self._around.engine.begin() as connection:
            await build_tables.analyze(connection, self._projection.tables, self.build.name)

    async def _report(self, trouble: str | None) -> None:
        await builds.report(self._around.engine, self.build, trouble=trouble, comparison=self._comparison)


class Rebuilds:
    """What a worker does about rebuilds: it notices within a second which are to be done, and helps with each."""

    def __init__(self, surroundings: Surroundings, projections: Sequence[Projection]) -> None:
        self._around = surroundings
        self._projections = projections
        self._running: dict[str, tuple[Rebuild, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        announced = False
        while True:
            try:
                if not announced:
                    for projection in self._projections:
                        await build_acts.announce(self._around.engine, projection)
                    announced = True
                await self._look()
            except Exception as error:  # noqa: BLE001 - a database that is down or not migrated yet; looked at again
                log.warning("rebuilds.look_failed", error=described(error))
            await asyncio.sleep(1.0)

    async def _look(self) -> None:
        own = {(projection.name, projection.version): projection for projection in self._projections}
        wanted = {
            building.name: (own[building.projection, building.version], building)
            for building in await builds.being_filled(self._around.engine)
            if (building.projection, building.version) in own
        }
        for name in [name for name, (_, task) in self._running.items() if name not in wanted or task.done()]:
            await self._end(name)
        for name, (projection, building) in wanted.items():
            if name not in self._running:
                rebuild = Rebuild(self._around, projection, building)
                self._running[name] = (rebuild, asyncio.create_task(rebuild.run(), name=f"rebuild {name}"))

    async def _end(self, name: str) -> None:
        rebuild, task = self._running.pop(name)
        rebuild.end()
        await asyncio.wait([task], timeout=_CLOSE_SECONDS + 1)
        task.cancel()

    async def stop(self) -> None:
        """Finish the slices in hand; another worker, or this one when it is started again, goes on."""
        await asyncio.gather(*(self._end(name) for name in list(self._running)))
