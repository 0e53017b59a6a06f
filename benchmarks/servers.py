"""The servers that everything is measured on: PostgreSQL with its default durability, Apache Kafka."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path

import asyncpg

from launcher import postgres
from launcher.brokers import apache
from launcher.brokers.broker import Broker
from launcher.postgres import PostgresServer
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.kafka import Kafka
from shared.runtime.migration import migrate
from shared.schemas.partitions import PARTITIONS


class Servers:
    """Started when they are first asked for, stopped with the block of `serving`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    @cached_property
    def postgres(self) -> PostgresServer:
        server = postgres.start(self._folder / "postgres")
        self._stack.callback(server.stop)
        return server

    @cached_property
    def broker(self) -> Broker:
        broker = apache.start(self._folder / "kafka")
        self._stack.callback(broker.stop)
        return broker

    @property
    def kafka(self) -> Kafka:
        """How a service reaches the broker: an idempotent producer, consumer groups."""
        return Kafka(bootstrap=self.broker.bootstrap, idempotence=True, assignment="group")

    @asynccontextmanager
    async def database(self, *, like: str | None = None) -> AsyncGenerator[str]:
        """A new database's name, dropped after the block; empty, or a copy of one that nobody is connected to."""
        name = f"measured_{uuid7().hex}"
        copied = "" if like is None else f' template "{like}"'
        await self._administer(f'create database "{name}"{copied}')
        try:
            yield name
        finally:
            await self._administer(f'drop database "{name}" with (force)')

    @asynccontextmanager
    async def service_databases(self, service: str) -> AsyncGenerator[tuple[str, str]]:
        """The names of a service's two databases, its events' and its keys', migrated."""
        async with self.database() as data, self.database() as keys:
            await migrate(service, self.postgres.url(data), self.postgres.url(keys))
            yield data, keys

    async def topic(self, partitions: int = PARTITIONS) -> str:
        """A new topic's name."""
        name = f"measured-{uuid7()}"
        await create_topics(self.broker.bootstrap, [Topic(name, partitions)])
        return name

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(await asyncio.to_thread(self.postgres.dsn))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def serving(folder: Path) -> Generator[Servers]:
    """Servers in a folder; those that were started are stopped after the block."""
    with ExitStack() as stack:
        yield Servers(folder, stack)
