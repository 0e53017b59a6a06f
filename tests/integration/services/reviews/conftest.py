"""Fixtures of the reviews service: a database with its read models."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections import cycles, evidence, review_inbox, review_sheet, reviews_by_cycle
from shared.eventsourcing.database import create_engine
from tests.servers.databases import Database

PROJECTIONS = [module.PROJECTION for module in (cycles, evidence, review_inbox, review_sheet, reviews_by_cycle)]


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection to a database with the read models' tables."""
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        for table in (table for projection in PROJECTIONS for table in projection.tables):
            await connection.run_sync(table.create)
        yield connection
    await engine.dispose()
