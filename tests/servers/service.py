"""A service as its users meet it: migrated databases, its HTTP application, its log delivered to its readers."""

import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from fastapi import FastAPI

from shared.people.projection import apply
from shared.runtime.caller import Role
from shared.runtime.migration import migrate
from shared.runtime.process import create_service_api
from shared.runtime.service import Runtime, Service
from shared.runtime.settings import Settings
from shared.schemas.identifiers import PersonId
from shared.schemas.people import PersonRecord
from tests.servers.databases import Database, Postgres
from tests.servers.delivery import Delivery
from tests.servers.issuer import Issuer

MASTER_KEY: Final = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True, slots=True)
class RunningService:
    runtime: Runtime
    delivery: Delivery
    app: FastAPI
    issuer: Issuer

    async def knows(self, people: Sequence[PersonRecord]) -> None:
        """The people feed told of these."""
        async with self.runtime.engine.begin() as connection:
            await apply(connection, [(person.person, person) for person in people])

    @asynccontextmanager
    async def client(self, person: PersonId, *roles: Role) -> AsyncGenerator[httpx.AsyncClient]:
        """A client that sends the person's token, below the service's base path; employee unless roles are named."""
        token = self.issuer.token(person, roles or (Role.EMPLOYEE,))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=f"http://test{self.runtime.service.base_path}",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield client


@dataclass(frozen=True, slots=True)
class MigratedDatabases:
    """A service's two databases, empty and migrated: to be copied, which is faster than to migrate."""

    data: Database
    keys: Database

    @classmethod
    async def of(cls, service: Service, postgres: Postgres) -> "MigratedDatabases":
        made = cls(await postgres.create(), await postgres.create())
        await migrate(service.name, made.data.url, made.keys.url)
        return made

    @asynccontextmanager
    async def copied(self) -> AsyncGenerator["MigratedDatabases"]:
        """Copies that are dropped after the block."""
        server = self.data.server
        copies = MigratedDatabases(
            await server.create(template=self.data.name), await server.create(template=self.keys.name)
        )
        yield copies
        await copies.drop()

    async def drop(self) -> None:
        await self.data.drop()
        await self.keys.drop()


@asynccontextmanager
async def running(service: Service, issuer: Issuer, databases: MigratedDatabases) -> AsyncGenerator[RunningService]:
    """The service on copies of these databases; no broker is started."""
    async with databases.copied() as copies:
        runtime = Runtime(service, settings(issuer, copies))
        try:
            yield RunningService(runtime, Delivery(runtime), create_service_api(runtime), issuer)
        finally:
            await runtime.close()


def settings(issuer: Issuer, databases: MigratedDatabases) -> Settings:
    return Settings.model_validate(
        {
            "database_url": databases.data.url,
            "keys_database_url": databases.keys.url,
            "master_key": MASTER_KEY,
            "kafka_bootstrap": "127.0.0.1:1",
            "issuer": issuer.name,
            "jwks_url": issuer.jwks_url,
        }
    )
