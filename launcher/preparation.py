"""`python -m launcher.preparation FOLDER`: makes the databases, their tables and the topics that services need."""

import asyncio
import sys
from pathlib import Path

import asyncpg

from launcher.addresses import Addresses, addresses
from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.last_import import republish_if_empty
from launcher.postgres import PostgresServer
from launcher.processes import SERVICES, TOPICS
from launcher.topic_creation import create_topics
from shared.eventsourcing.kafka import Kafka
from shared.runtime.migration import migrate


async def prepare(folder: Path, around: Addresses) -> None:
    """Makes what is not there; what is there stays as it is."""
    await asyncio.gather(_prepare_databases(around.postgres), _prepare_topics(folder, around.broker))


async def _prepare_topics(folder: Path, broker: Broker) -> None:
    """The topics, and in them the people of the last import: a broker in memory has forgotten both."""
    await create_topics(broker.bootstrap, TOPICS)
    feed = PeopleFeed(Kafka(bootstrap=broker.bootstrap, idempotence=broker.idempotent_producer))
    published = await republish_if_empty(feed, folder)
    if published:
        print(f"{published} records of the last people import were published again")


async def _prepare_databases(server: PostgresServer) -> None:
    """Each service's, and the one of its keys, brought to their newest version one after the other, as Alembic must."""
    wanted = {service: f"{service}_keys" for service in SERVICES}
    await _create_databases(server, [*wanted, *wanted.values()])
    for service, keys in wanted.items():
        await migrate(service, server.url(service), server.url(keys))


async def _create_databases(server: PostgresServer, names: list[str]) -> None:
    connection = await asyncpg.connect(server.dsn())
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in names:
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


if __name__ == "__main__":
    try:
        asyncio.run(prepare(Path(sys.argv[1]), addresses(Path(sys.argv[1]))))
    except LaunchFailed as failure:
        sys.exit(str(failure))
