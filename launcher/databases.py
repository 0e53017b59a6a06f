"""The services' databases, created once."""

from collections.abc import Sequence

import asyncpg

from launcher.postgres import PostgresServer


async def create_databases(server: PostgresServer, names: Sequence[str]) -> None:
    """Creates those that are not there."""
    connection = await asyncpg.connect(server.dsn())
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for name in names:
            if name not in there:
                await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
