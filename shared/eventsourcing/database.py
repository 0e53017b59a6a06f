"""Connections to a service's database: their timeouts, and the driver below them for the hot statements."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.eventsourcing.errors import Superseded

_SETTINGS: Final = {
    "idle_in_transaction_session_timeout": "5s",  # a stopped process must not hold the barrier
    "transaction_timeout": "10s",
    "jit": "off",
    "random_page_cost": "1.1",  # hot indexes are in memory: a plan made while a table was small must not read all of it
}
_COMMAND_SECONDS: Final = 15.0
"""Longer than the server lets a transaction be: a server that vanished without a word must not be waited for."""
_TRANSIENT_CLASSES: Final = ("08", "40", "53", "55", "57", "58")
"""SQLSTATE classes that say nothing about the data: connection, rollback, resources, state, intervention, system."""
_TRANSIENT_STATES: Final = ("25P03", "25P04", "3D000", "42P01", "42703")
"""idle_in_transaction_session_timeout, transaction_timeout; database, table, column missing: not migrated yet."""


def create_engine(
    url: str | URL,
    *,
    pool_size: int = 5,
    pool_seconds: float = 10,
    application_name: str = "trellis",
    search_path: str | None = None,
    patient: bool = False,
) -> AsyncEngine:
    """An engine over asyncpg whose every connection has the timeouts that the barrier needs.

    `patient`: its transactions may take as long as they like. They must append nothing.
    """
    return create_async_engine(
        url,
        pool_size=2 * pool_size,
        max_overflow=0,  # an overflow is closed at once: under load a command paid for a connection of its own
        pool_timeout=pool_seconds,
        pool_pre_ping=False,
        hide_parameters=True,  # an error's message goes to the logs, and parameters hold what people wrote
        connect_args={
            "server_settings": {
                **_SETTINGS,
                **({"transaction_timeout": "0"} if patient else {}),
                **({"search_path": search_path} if search_path else {}),
                "application_name": application_name,
            },
            "timeout": 5,
            "command_timeout": None if patient else _COMMAND_SECONDS,
        },
    )


async def driver(connection: AsyncConnection) -> Any:
    """The asyncpg connection below a SQLAlchemy connection, for the statements where that measurably gains.

    A connection that died in the pool is replaced: SQLAlchemy does not see what fails below it, and would hand the
    dead one out again and again.
    """
    raw: Any = (await connection.get_raw_connection()).driver_connection
    while raw.is_closed() and not connection.in_transaction():
        await connection.invalidate()
        raw = (await connection.get_raw_connection()).driver_connection
    return raw


@asynccontextmanager
async def borrowed(engine: AsyncEngine) -> AsyncGenerator[Any]:
    """A connection of asyncpg from the engine's pool, for statements that are transactions of their own.

    It costs a third of what SQLAlchemy's connection around it does. One that is closed, in the pool or in the block, is
    handed to nobody else. What raises is an error of asyncpg, also where there is no connection to be had.
    """
    held = await _of_the_pool(engine)
    while held.driver_connection.is_closed():
        held.invalidate()
        held = await _of_the_pool(engine)
    raw = held.driver_connection
    try:
        yield raw
    finally:
        if raw.is_closed():
            held.invalidate()
        else:
            held.close()


async def _of_the_pool(engine: AsyncEngine) -> Any:
    try:
        return await engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as error:  # SQLAlchemy wraps it where it makes a connection of its own
        raise error.__cause__ or error from error


def is_transient(error: BaseException) -> bool:
    """Whether the failure says nothing about the data: a database or broker that is down is no poison.

    The client's internal error is what a connection raises that has heard of its end and is not closed yet.
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        of_the_client = isinstance(error, InterfaceError) or (isinstance(error, InternalError) and state is None)
        return error.connection_invalidated or of_the_client or _transient_state(state)
    if isinstance(error, asyncpg.PostgresError):
        return _transient_state(getattr(error, "sqlstate", None))
    unspoken = (OSError, TimeoutError, PoolExhausted, Superseded, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return isinstance(error, unspoken)


def _transient_state(state: object) -> bool:
    return isinstance(state, str) and (state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES)
