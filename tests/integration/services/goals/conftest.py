"""A database with the goals service's read models."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections.goal_plans import PLANS
from services.goals.projections.goal_tree import GOALS
from shared.eventsourcing.database import create_engine
from shared.people.table import create_people
from tests.conftest import Database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        for create in (GOALS.create, PLANS.create, create_people):
            await connection.run_sync(create)
    yield engine
    await engine.dispose()
