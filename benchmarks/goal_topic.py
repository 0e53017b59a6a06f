"""Goals that are stored, published and ready to be read: what the questions about reading begin with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks import measurements
from benchmarks.goal_log import EVENTS_A_GOAL, fill
from benchmarks.servers import Servers
from services.goals.projections import goal_tree
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.schema import register_reader

SOURCE: Final = "/trellis/goals"
_LOOK_SECONDS: Final = 0.01


@asynccontextmanager
async def stored_goals(servers: Servers, events: int) -> AsyncGenerator[AsyncEngine]:
    """A goals service's database with so many events, none of them published."""
    async with servers.service_databases("goals") as (data, _):
        engine = create_engine(servers.postgres.url(data))
        try:
            await fill(engine, events // EVENTS_A_GOAL)
            yield engine
        finally:
            await engine.dispose()


async def read_by_both(engine: AsyncEngine, topic: str) -> None:
    """Let the goal tree and the table of measurements begin with this topic."""
    async with engine.begin() as connection:
        await connection.run_sync(measurements.MEASUREMENTS.metadata.create_all)
        for projection in (goal_tree.PROJECTION, measurements.PROJECTION):
            await connection.run_sync(register_reader, projection.name, (topic,))


async def publish(engine: AsyncEngine, kafka: Kafka, topic: str, events: int) -> None:
    """Run a relay until it has published so many events and moved its checkpoint behind them."""
    relay = Relay(engine, kafka, topic=topic, source=SOURCE, owner="benchmark")
    running = asyncio.create_task(relay.run())
    try:
        published = 0
        while published < events and not running.done():
            await asyncio.sleep(_LOOK_SECONDS)
            published = relay.counts.published
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
