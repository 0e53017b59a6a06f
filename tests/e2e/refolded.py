"""Every read model against a fold of the stores: applied once more, in order, in a database of its own."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final

import asyncpg
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.postgres import PostgresServer
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import uuid7
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.eventsourcing.stored_envelope import envelope_of
from shared.runtime.migration import migrate
from shared.runtime.service import Service
from shared.schemas.event import EventTypes, UnknownEvent
from tests.e2e.stored import EventLog

_SLICE: Final = 1_000


async def read_models_equal_a_fold(server: PostgresServer, logs: Mapping[str, EventLog]) -> int:
    """Rebuild every service's projections from the stores alone and compare all rows; how many rows that were."""
    rows = 0
    for name in logs:
        service: Service = import_module(f"services.{name}.app").SERVICE
        live = create_engine(server.url(name))
        try:
            async with _migrated(server, name) as folded:
                for projection in service.projections:
                    await _fold(folded, projection, service.types, logs)
                    for table in projection.tables:
                        rows += await _same(table, live, folded)
        finally:
            await live.dispose()
    return rows


async def _fold(engine: AsyncEngine, projection: Projection, types: EventTypes, logs: Mapping[str, EventLog]) -> None:
    for topic in projection.topics:
        events = _recorded(logs[topic.removesuffix(".events")], types)
        for start in range(0, len(events), _SLICE):
            async with engine.begin() as connection:
                await projection.apply(connection, events[start : start + _SLICE])


def _recorded(log: EventLog, types: EventTypes) -> list[Recorded]:
    found: list[Recorded] = []
    for stored in log.events:
        event = types.decode(stored.type, stored.data)
        if not isinstance(event, UnknownEvent):
            envelope = envelope_of(stored.row, source=f"/trellis/{log.service}", log_id=uuid7(), previous_position=0)
            found.append(Recorded(event, envelope))
    return found


async def _same(table: Table, live: AsyncEngine, folded: AsyncEngine) -> int:
    rows, expected = await _rows(table, live), await _rows(table, folded)
    different = [key for key in rows.keys() | expected.keys() if rows.get(key) != expected.get(key)]
    shown = [(key, rows.get(key), expected.get(key)) for key in different[:3]]
    assert not different, f"{table.name}: {len(different)} rows differ, such as (key, is, should be) {shown}"
    return len(rows)


async def _rows(table: Table, engine: AsyncEngine) -> dict[tuple[Any, ...], Any]:
    key = [column.name for column in table.primary_key]
    async with engine.connect() as connection:
        found = (await connection.execute(select(table))).mappings()
        return {tuple(row[name] for name in key): dict(row) for row in found}


@asynccontextmanager
async def _migrated(server: PostgresServer, service: str) -> AsyncGenerator[AsyncEngine]:
    """An empty, migrated database beside the service's own, on the same server."""
    names = [f"{service}_{uuid7().hex}", f"{service}_keys_{uuid7().hex}"]
    await _on_server(server, *(f'CREATE DATABASE "{name}"' for name in names))
    await migrate(service, server.url(names[0]), server.url(names[1]))
    engine = create_engine(server.url(names[0]))
    try:
        yield engine
    finally:
        await engine.dispose()
        await _on_server(server, *(f'DROP DATABASE "{name}" WITH (FORCE)' for name in names))


async def _on_server(server: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.dsn())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
