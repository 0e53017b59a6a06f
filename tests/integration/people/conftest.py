"""A database with the table `people`."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.people.table import create_people
from tests.conftest import Database


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection to an empty table; what the test writes is thrown away."""
    engine = create_async_engine(database.url)
    async with engine.connect() as connection:
        await connection.run_sync(create_people)
        yield connection
    await engine.dispose()
