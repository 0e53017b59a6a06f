"""The goals service on a real PostgreSQL: its read models alone, and over HTTP in a company of six.

Clara leads Hugo, Hugo leads Alice and Bob, Eve leads nobody here, Hanna is HR.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.app import SERVICE
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import record
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running

CLARA, HUGO, ALICE, BOB, EVE, HANNA = (
    PersonId(derived("person", name)) for name in ("clara", "hugo", "alice", "bob", "eve", "hanna")
)
_KPIS = "kpis, kpi_measurements"
_PLANS = "goal_plans, goal_plan_steps, goal_wordings"
READ_MODELS = f"goal_tree, goal_facts, goal_periods, goal_profiles, {_PLANS}, goal_policies, {_KPIS}, people"
OPEN = [
    "align",
    "edit",
    "choose-measure",
    "weigh",
    "bind",
    "set-health",
    "record-progress",
    "achieve",
    "miss",
    "cancel",
    "carry-over",
]
"""What its owner may do with a person's open goal that is measured by its metric."""
COMPANY = [record(CLARA), record(HUGO, CLARA), record(ALICE, HUGO), record(BOB, HUGO), record(EVE), record(HANNA)]


@dataclass(frozen=True, slots=True)
class Company:
    """The service, and its people as clients of it."""

    service: RunningService
    clara: httpx.AsyncClient
    hugo: httpx.AsyncClient
    alice: httpx.AsyncClient
    bob: httpx.AsyncClient
    eve: httpx.AsyncClient
    hanna: httpx.AsyncClient

    async def settled(self) -> None:
        """Every event so far has reached every read model."""
        await self.service.delivery.deliver()

    async def goal(self, setter: httpx.AsyncClient, owner: PersonId, **body: Any) -> str:
        """The id of a goal that was set."""
        answer = await setter.post("/goals", json=goal_of(owner) | body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def shown(self, reader: httpx.AsyncClient, goal: str) -> dict[str, Any]:
        """The goal as the reader sees it, after everything so far."""
        await self.settled()
        answer = await reader.get(f"/goals/{goal}")
        assert answer.status_code == 200, answer.text
        return answer.json()


def goal_of(owner: PersonId) -> dict[str, Any]:
    return {
        "level": "person",
        "owner": str(owner),
        "title": "Answer within a day",
        "metric": {"kind": "number", "start": "10", "target": "0", "unit": "hours"},
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    }


@pytest.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[MigratedDatabases]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    yield databases
    await databases.drop()


@pytest.fixture(scope="session")
async def migrated(databases: MigratedDatabases) -> AsyncIterator[AsyncEngine]:
    async with databases.copied() as copies:
        engine = create_engine(copies.data.url)
        yield engine
        await engine.dispose()


@pytest.fixture
async def engine(migrated: AsyncEngine) -> AsyncEngine:
    """A migrated database without people, goals and plans."""
    async with migrated.begin() as connection:
        await connection.execute(text(f"truncate {READ_MODELS}"))
    return migrated


@pytest.fixture
async def company(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(SERVICE, issuer, databases))
        await service.knows(COMPANY)

        async def client(person: PersonId, *roles: Role) -> httpx.AsyncClient:
            return await stack.enter_async_context(service.client(person, *roles))

        yield Company(
            service,
            clara=await client(CLARA, Role.MANAGER),
            hugo=await client(HUGO, Role.MANAGER),
            alice=await client(ALICE),
            bob=await client(BOB),
            eve=await client(EVE, Role.MANAGER),
            hanna=await client(HANNA, Role.HR),
        )
