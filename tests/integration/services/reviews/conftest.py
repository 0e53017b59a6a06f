"""Fixtures of the reviews service: its migrated database, and the whole service over HTTP."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.reviews.app import SERVICE
from shared.eventsourcing.database import create_engine
from tests.integration.services.reviews.company import Company, working
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases


@pytest.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[MigratedDatabases]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    yield databases
    await databases.drop()


@pytest.fixture(scope="session")
async def engine(databases: MigratedDatabases) -> AsyncIterator[AsyncEngine]:
    async with databases.copied() as copies:
        engine = create_engine(copies.data.url)
        yield engine
        await engine.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to the service's database as its migrations leave it; what a test writes is rolled back."""
    async with engine.connect() as connection:
        yield connection
        await connection.rollback()


@pytest.fixture
async def company(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Company]:
    """The service over HTTP, with its people as clients."""
    async with working(issuer, databases) as company:
        yield company
