"""The feedback service over HTTP, in a company of five: Dana leads Carl, Carl leads Alice and Bob; Eve is elsewhere."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.feedback.app import SERVICE
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.integration.people.company import record
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, RunningService, running

DANA, CARL, ALICE, BOB, EVE = (PersonId(derived("person", name)) for name in ("dana", "carl", "alice", "bob", "eve"))
COMPANY = [record(DANA), record(CARL, DANA), record(ALICE, CARL), record(BOB, CARL), record(EVE)]


@dataclass(frozen=True, slots=True)
class Company:
    """The service, and its people as clients of it."""

    service: RunningService
    dana: httpx.AsyncClient
    carl: httpx.AsyncClient
    alice: httpx.AsyncClient
    bob: httpx.AsyncClient
    eve: httpx.AsyncClient
    hr: httpx.AsyncClient

    async def settled(self) -> None:
        """Every event so far has reached every read model."""
        await self.service.delivery.deliver()

    async def given(self, author: httpx.AsyncClient, receiver: PersonId = BOB, **body: Any) -> str:
        """The id of feedback that was given and is readable."""
        answer = await author.post("/feedback", json=feedback_to(receiver) | body)
        assert answer.status_code == 201, answer.text
        await self.settled()
        return answer.json()["id"]


def feedback_to(receiver: PersonId) -> dict[str, Any]:
    return {
        "receiver": str(receiver),
        "kind": "praise",
        "visibility": "receiver",
        "text": "You explained the outage calmly.",
    }


@pytest.fixture(scope="session")
async def databases(postgres: Postgres) -> AsyncIterator[MigratedDatabases]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    yield databases
    await databases.drop()


@pytest.fixture
async def company(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Company]:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running(SERVICE, issuer, databases))
        await service.knows(COMPANY)

        async def client(person: PersonId, *roles: Role) -> httpx.AsyncClient:
            return await stack.enter_async_context(service.client(person, *roles))

        yield Company(
            service,
            dana=await client(DANA, Role.MANAGER),
            carl=await client(CARL, Role.MANAGER),
            alice=await client(ALICE),
            bob=await client(BOB),
            eve=await client(EVE, Role.MANAGER),
            hr=await client(PersonId(derived("person", "hanna")), Role.HR),
        )
