"""Fresh databases on the test run's PostgreSQL."""

from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from shared.eventsourcing.identifiers import uuid7


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server, named by the DSN of a user who may create databases."""

    administrator: str

    def dsn(self, database: str) -> str:
        """`postgresql://...`, as asyncpg takes it."""
        return make_url(self.administrator).set(database=database).render_as_string(hide_password=False)

    async def create(self, *, template: str | None = None) -> "Database":
        """A new database: empty, or a copy of `template` (to which nobody may be connected)."""
        name = f"test_{uuid7().hex}"
        copied = "STRATEGY file_copy"  # where nothing is flushed to disk, half of what the log of every page costs
        await self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}" {copied}')
        return Database(self, name)

    async def drop(self, name: str) -> None:
        """Cuts its connections and drops it."""
        await self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.administrator)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class Database:
    server: Postgres
    name: str

    @property
    def dsn(self) -> str:
        """`postgresql://...`, as asyncpg takes it."""
        return self.server.dsn(self.name)

    @property
    def url(self) -> str:
        """`postgresql+asyncpg://...`, as SQLAlchemy takes it."""
        return self.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)

    async def drop(self) -> None:
        await self.server.drop(self.name)
