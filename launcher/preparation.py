"""What must be there before a service starts: its databases, their tables, the topics.

Its imports take a while; `trellis up` loads it while the servers start.
"""

import asyncpg

from launcher.brokers.broker import Broker
from launcher.postgres import PostgresServer
from launcher.processes import TOPICS
from launcher.topic_creation import create_topics
from shared.runtime.migration import migrate


async def prepare_databases(server: PostgresServer, service: str) -> None:
    """The service's database and the one of its keys, brought to their newest version."""
    keys = f"{service}_keys"
    connection = await asyncpg.connect(server.dsn())
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in (service, keys):
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    await migrate(service, server.url(service), server.url(keys))


async def prepare_topics(broker: Broker) -> None:
    """All topics; those of a broker that forgets them are made again."""
    await create_topics(broker.bootstrap, TOPICS)
