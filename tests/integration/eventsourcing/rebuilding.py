"""A service with one projection whose builds are tested; run as a program, a worker that rebuilds slowly."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing import build_acts, builds
from shared.eventsourcing.build_tables import checksums
from shared.eventsourcing.builds import Build, Builds
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.rebuild import Rebuilds, Surroundings
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.subscription import Subscription
from tests.integration.eventsourcing.running import kafka_of, projecting, relaying, until
from tests.integration.eventsourcing.tally import (
    APPLIED,
    SOMEBODY,
    TALLY,
    TYPES,
    apply,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
    tally_projection,
)
from tests.servers.databases import Database

_SLOW_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Tallies:
    """A service with one projection, whose relay and live reader run."""

    engine: AsyncEngine
    kafka: Kafka
    projection: Projection
    live: Subscription

    async def write(self, events: int, *, streams: int = 30) -> None:
        commands = handler(self.engine)
        for n in range(events):
            await commands.handle(context(), TALLY, tally_id(n % streams), count())

    async def builds(self) -> Builds:
        async with self.engine.begin() as connection:
            return await builds.read(connection, self.projection)

    async def serves(self, build: int) -> bool:
        return (await self.builds()).serving.build == build

    async def applied(self, schema: str = "public") -> int:
        async with self.engine.connect() as connection:
            return (await checksums(connection, [APPLIED], schema))["applied"].rows

    async def all_applied(self, events: int) -> None:
        """Wait until what serves has them, and see that it has each once and in order."""

        async def there() -> bool:
            return await self.applied() >= events

        await until(there, what=f"{events} events applied")
        assert await self.applied() == events
        assert await scalar(self.engine, "select count(distinct position) from applied") == events
        assert await scalar(self.engine, "select coalesce(sum(disorder), 0) from tallies") == 0
        assert await scalar(self.engine, "select sum(total)::bigint from tallies") == events

    async def rebuilt(self, **options: Any) -> Build:
        """What serves after a rebuild."""
        begun = await build_acts.request(self.engine, self.projection, by=SOMEBODY, **options)
        await until(lambda: self.serves(begun.build), what=f"{begun.name} serves")
        return (await self.builds()).serving

    @asynccontextmanager
    async def worker(self, projection: Projection | None = None) -> AsyncGenerator[Rebuilds]:
        """A worker's share in rebuilds, as long as the block."""
        topic = self.projection.topics[0]
        around = Surroundings(
            engine=self.engine, kafka=self.kafka, types=TYPES, service=topic, topic=topic, partitions=12
        )
        rebuilds = Rebuilds(around, [projection or self.projection])
        task = asyncio.create_task(rebuilds.run())
        try:
            yield rebuilds
        finally:
            task.cancel()
            await asyncio.wait([task])
            await rebuilds.stop()


@asynccontextmanager
async def tallies(database: Database, broker: Broker, topic: str, **options: Any) -> AsyncGenerator[Tallies]:
    engine, kafka = await kernel_engine(database, topics=(topic,)), kafka_of(broker)
    projection = tally_projection(topic)
    async with relaying(engine, kafka, topic), projecting(engine, kafka, projection, group=topic, **options) as live:
        yield Tallies(engine, kafka, projection, live)
    await engine.dispose()


async def slowly(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """What the projection does, with time to be killed after each slice."""
    await apply(connection, events)
    await asyncio.sleep(_SLOW_SECONDS)


async def rebuild_slowly(url: str, kafka: Kafka, topic: str) -> None:
    """A worker's share in rebuilds, until it is killed."""
    around = Surroundings(
        engine=create_engine(url), kafka=kafka, types=TYPES, service=topic, topic=topic, partitions=12
    )
    await Rebuilds(around, [replace(tally_projection(topic), apply=slowly)]).run()


def main(url: str, bootstrap: str, assignment: Literal["group", "fixed"], topic: str) -> None:
    kafka = Kafka(bootstrap=bootstrap, idempotence=False, assignment=assignment)
    asyncio.run(rebuild_slowly(url, kafka, topic))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "fixed" if sys.argv[3] == "fixed" else "group", sys.argv[4])
