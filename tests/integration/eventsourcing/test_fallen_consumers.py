"""Consumers that stop without a word are noticed: each known way is made to happen on a real broker.

aiokafka's issues tell of consumers that go on as if nothing had happened after their background tasks died, or after
their group had put them out (#625, #727, #847, #1017, #1037, #1154). What its #738 tells of, records that were fetched
before a seek and come after it, is not noticed but harmless: the chain passes over them, which the tests of the reader
show, and those of failed slices with and without seeking back.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.protocol.group import LeaveGroupRequest
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.membership import member_id, members_of
from shared.eventsourcing.subscription import Subscription
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, projecting, published_positions, relaying, until
from tests.integration.eventsourcing.tally import (
    TALLY,
    context,
    count,
    handler,
    kernel_engine,
    scalar,
    tally_id,
    tally_projection,
)
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka


class Reader:
    """A reader at work on a topic of its own."""

    def __init__(self, engine: AsyncEngine, kafka: Kafka, topic: str, subscription: Subscription) -> None:
        self.engine = engine
        self.kafka = kafka
        self.topic = topic
        self.subscription = subscription

    @property
    def consumer(self) -> Any:
        """With the parts that aiokafka keeps to itself."""
        return self.subscription.consumer

    async def written(self, events: int) -> None:
        commands = handler(self.engine, partitions=3)
        for n in range(events):
            await commands.handle(context(), TALLY, tally_id(n % 10), count())

    async def published(self, events: int) -> None:
        async def all_of_them() -> bool:
            return len(await published_positions(self.kafka, self.topic, partitions=3)) == events

        await until(all_of_them, what=f"{events} events in Kafka")

    async def applied(self, events: int) -> None:
        async def all_of_them() -> bool:
            return await scalar(self.engine, "select count(*) from applied") == events

        await until(all_of_them, what=f"{events} events applied")

    async def is_member(self) -> bool:
        """As the worker's watchdog asks; a group that is being put together is not asked."""
        groups = (self.subscription.group, "a group that nobody is in")
        found = (await members_of(self.kafka, groups)).get(self.subscription.group)
        if found is not None:
            self.subscription.reading.member(of_its_group=member_id(self.consumer) in found)
        return found is not None and member_id(self.consumer) in found

    async def noticed(self, what: str) -> None:
        async def stalled() -> bool:
            if self.kafka.assignment == "group":
                await self.is_member()
            return what in (self.subscription.reading.stalled(2.0) or "")

        await until(stalled, seconds=60, what=f"noticed: {what}")


@asynccontextmanager
async def reading(database: Database, broker: Broker, new_topic: NewTopic) -> AsyncGenerator[Reader]:
    """A reader that has applied ten events."""
    topic, kafka = await new_topic(partitions=3), kafka_of(broker)
    engine = await kernel_engine(database, topics=(topic,), partitions=3)
    options: dict[str, Any] = {"partitions": 3, "look_seconds": 0.2}
    async with (
        relaying(engine, kafka, topic),
        projecting(engine, kafka, tally_projection(topic), group=topic, **options) as subscription,
    ):
        reader = Reader(engine, kafka, topic, subscription)
        await reader.written(10)
        await reader.applied(10)
        assert subscription.reading.stalled(30.0) is None
        yield reader
    await engine.dispose()


async def test_a_consumer_whose_fetcher_died_is_noticed(database: Database, kafka: Broker, new_topic: NewTopic) -> None:
    async with reading(database, kafka, new_topic) as reader:
        fetching = reader.consumer._fetcher._fetch_task
        fetching.cancel()
        await asyncio.wait([fetching])
        await reader.written(10)
        await reader.published(20)  # the fetch that was under way may still bring these, and no more
        await reader.written(10)
        await reader.noticed("does not fetch records that are there")
        assert await scalar(reader.engine, "select count(*) from applied") < 30


@pytest.mark.apache
async def test_a_consumer_whose_coordination_died_is_noticed_though_it_reads_on(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """Its group puts it out when it has heard no heartbeat for ten seconds; it fetches on as if it had not."""
    async with reading(database, kafka, new_topic) as reader:
        assert await reader.is_member()
        coordinator = reader.consumer._coordinator
        died = [coordinator._coordination_task, coordinator._heartbeat_task]
        for task in died:
            task.cancel()
        await asyncio.wait(died)
        await reader.noticed("has been no member of its consumer group")


@pytest.mark.apache
async def test_a_consumer_that_was_put_out_of_its_group_comes_back_by_itself(
    database: Database, kafka: Broker, new_topic: NewTopic
) -> None:
    """With a heartbeat that lives it hears of it within two seconds, and the watchdog has nothing to do."""
    async with reading(database, kafka, new_topic) as reader:
        before = member_id(reader.consumer)
        coordinator = reader.consumer._coordinator
        await coordinator._send_req(LeaveGroupRequest(coordinator.group_id, before))

        async def back() -> bool:
            return member_id(reader.consumer) not in {"", before} and await reader.is_member()

        await until(back, what="a member again, under a new id")
        await reader.written(10)
        await reader.applied(20)
        assert reader.subscription.reading.stalled(30.0) is None
