"""A database with the read models' tables of this service."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections import budget_left, duties, reconciliation, rewards_by_status
from services.rewards.projections.compensation import COMPENSATION
from shared.eventsourcing.database import create_engine
from tests.servers.databases import Database

TABLES = (
    *rewards_by_status.PROJECTION.tables,
    *budget_left.PROJECTION.tables,
    *duties.PROJECTION.tables,
    *reconciliation.PROJECTION.tables,
    COMPENSATION,
)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """In one transaction, with every read model's tables."""
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        for metadata in dict.fromkeys(table.metadata for table in TABLES):
            await connection.run_sync(metadata.create_all)
        yield connection
    await engine.dispose()
