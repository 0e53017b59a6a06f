"""Fixtures of the rewards service: a database with its read models' tables, and the whole service over HTTP."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.app import SERVICE
from services.rewards.projections import budget_left, duties, reconciliation, rewards_by_status
from services.rewards.projections.compensation import COMPENSATION
from shared.eventsourcing.database import create_engine
from tests.integration.services.rewards.company import Company, working
from tests.servers.databases import Database, Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases

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


@pytest.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[MigratedDatabases]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    yield databases
    await databases.drop()


@pytest.fixture
async def company(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Company]:
    """The service over HTTP, with its people as clients."""
    async with working(issuer, databases) as company:
        yield company
