"""Migrations: one Alembic history a service, run by `python -m services.<service> migrate`; `migrated` waits for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.eventsourcing.described import described
from shared.privacy.keys import create_key_tables

_ROOT: Final = Path(__file__).parents[2]
_IN_TURN: Final = text("select pg_advisory_xact_lock(7310589453)")
"""Held until the transaction ends: of two migrations at once the second finds everything done."""


async def migrate(service: str, database_url: str, keys_database_url: str) -> None:
    """Bring a service's two databases to the newest version; what is there already is left alone."""
    await _run(database_url, lambda connection: _upgrade(service, connection))
    await _run(keys_database_url, create_key_tables)


async def _run(url: str, work: Callable[[Connection], None]) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(_IN_TURN)
            await connection.run_sync(work)
    finally:
        await engine.dispose()


async def missing(service: str, database_url: str, keys_database_url: str) -> str | None:
    """Why a service's two databases are not as new as this release, in words; None if they are, or newer still."""
    script = ScriptDirectory.from_config(_config(service))
    older = {revision.revision for revision in script.walk_revisions()} - set(script.get_heads())
    try:
        found = await _scalar(database_url, "select version_num from alembic_version")
        await _scalar(keys_database_url, "select count(*) from data_keys")
    except (DBAPIError, OSError, TimeoutError) as error:
        return described(error)
    return (
        f"the database is at {found}, not at {script.get_current_head()}" if found is None or found in older else None
    )


async def _scalar(url: str, query: str) -> object:
    engine = create_async_engine(url, poolclass=pool.NullPool, connect_args={"timeout": 5, "command_timeout": 5})
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(query))
    finally:
        await engine.dispose()


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "services" / service / "migrations"))
    return config


def _upgrade(service: str, connection: Connection) -> None:
    config = _config(service)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_environment(metadata: MetaData) -> None:
    """What every service's `migrations/env.py` does: run in the connection that `migrate` gave."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
