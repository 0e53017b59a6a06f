"""How fast completed reviews become reward proposals: a backlog through Kafka and the reactor, and one at a time."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.measuring import Better, Contender, Series, held_against, take_turns
from benchmarks.progress_load import engine_of
from benchmarks.question import Answer, Asked, Question
from benchmarks.reviewed_company import completed, known
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from services.rewards.app import SERVICE
from services.rewards.reactions.propose_reward_when_review_completed import REACTION
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.relay import Relay
from shared.eventsourcing.schema import install
from shared.eventsourcing.store import EventStore
from shared.eventsourcing.subscription import Subscription
from shared.runtime.collection import collect_seldom
from shared.schemas.partitions import PARTITIONS
from shared.schemas.reviews import TOPIC

_PATIENCE_SECONDS: Final = 120.0
_PROPOSALS: Final = text("select count(*) from events where type like 'trellis.rewards.RewardProposed.%'")


async def answered(asked: Asked) -> Answer:
    """The rewards service's reaction as its worker runs it, each time with databases in which nothing has come yet."""
    backlog, singles = asked.size(50_000), 100 if asked.full else 40
    servers = asked.servers
    collect_seldom()  # as a worker does
    await create_topics(servers.broker.bootstrap, [Topic(TOPIC, PARTITIONS)])
    async with (
        servers.database() as reviews,
        servers.service_databases("rewards") as (prepared, _),
        engine_of(servers.postgres.url(reviews)) as store,
    ):
        async with store.begin() as connection:
            await connection.run_sync(install)
        async with engine_of(servers.postgres.url(prepared)) as engine:
            await known(engine, backlog + singles)
        async with _published(store, servers.kafka) as published:
            await completed(store, range(backlog))
            await published(backlog)

            async def rate() -> float:
                async with _rewards(asked, prepared) as reaction:
                    return await reaction.rate(backlog)

            series = await take_turns(
                [Contender("backlog", "events/s", rate)], progress=asked.progress, what="reaction"
            )
            async with _rewards(asked, prepared) as reaction:
                await reaction.until(backlog)
                latency = await _one_at_a_time(store, reaction, range(backlog, backlog + singles), seed=asked.seed)
    series.append(latency)
    comparisons = [
        held_against("reviews completed before it started", series[0], 5_000, better=Better.HIGHER),
        held_against("one review at a time, half are proposed within", latency, 50, better=Better.LOWER),
    ]
    return Answer(series, comparisons, sizes={"backlog": backlog, "one at a time": singles})


@dataclass(frozen=True, slots=True)
class _Reaction:
    engine: AsyncEngine
    reader: Reader

    async def until(self, events: int) -> None:
        """So many events are applied; then as many proposals are in the store, which is counted."""
        await _until(lambda: self.reader.counts.applied >= events, what=f"{events} events are applied")
        async with self.engine.connect() as connection:
            found = (await connection.execute(_PROPOSALS)).scalar_one()
        if found != events:
            raise RuntimeError(f"{events} reviews led to {found} proposals")

    async def rate(self, events: int) -> float:
        """Events a second, from the first slice's commit to the last: what joining the group takes is left out."""
        await _until(lambda: self.reader.counts.applied > 0, what="the first slice is applied")
        before, began = self.reader.counts.applied, time.perf_counter()
        await _until(lambda: self.reader.counts.applied >= events, what=f"{events} events are applied")
        taken = time.perf_counter() - began
        await self.until(events)
        return (events - before) / taken


@asynccontextmanager
async def _rewards(asked: Asked, prepared: str) -> AsyncGenerator[_Reaction]:
    """The reaction with a reader, a consumer group and a database of its own; it starts with the block."""
    servers = asked.servers
    async with servers.database(like=prepared) as name, engine_of(servers.postgres.url(name)) as engine:
        handler = CommandHandler(EventStore(engine, SERVICE.types), partitions=PARTITIONS)
        reader = Reader(engine, SERVICE.types, Reactor(REACTION, handler))
        broker = servers.kafka.broker()
        subscription = Subscription(servers.kafka, broker, reader, group=f"benchmark-{uuid7()}", partitions=PARTITIONS)
        await broker.connect()
        await subscription.start()
        try:
            yield _Reaction(engine, reader)
        finally:
            await subscription.stop()
            await broker.stop()


@asynccontextmanager
async def _published(engine: AsyncEngine, kafka: Kafka) -> AsyncGenerator[Callable[[int], Awaitable[None]]]:
    """The reviews service's relay; what is given waits until it has published so many events."""
    relay = Relay(engine, kafka, topic=TOPIC, source="/trellis/reviews", owner="benchmark")
    task = asyncio.create_task(relay.run())
    try:
        yield lambda events: _until(lambda: relay.counts.published >= events, what=f"{events} events are published")
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _one_at_a_time(store: AsyncEngine, reaction: _Reaction, numbers: range, *, seed: int) -> Series:
    """Milliseconds from a review's event being stored, and acknowledged, to its proposal being committed."""
    rnd, waits = random.Random(seed), list[float]()
    for number in numbers:
        await asyncio.sleep(rnd.uniform(0.2, 0.4))
        await completed(store, [number])
        began = time.perf_counter()
        before = number
        await _until(lambda before=before: reaction.reader.counts.applied > before, what="it is applied")
        waits.append((time.perf_counter() - began) * 1000)
    return Series("one review at a time", "ms", tuple(waits))


async def _until(over: Callable[[], bool], *, what: str) -> None:
    """Polled every half millisecond: another task of this process does it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not over():
        if time.monotonic() > until:
            raise TimeoutError(f"after {_PATIENCE_SECONDS:.0f} s it is not so that {what}")
        await asyncio.sleep(0.0005)


QUESTION: Final = Question("reaction", "how fast completed reviews become reward proposals", answered)
