"""A projection as simple as they come: one row a measurement, written once. What it costs is the reader's doing."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Numeric, Table, Uuid
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goals import TOPIC, GoalProgressRecorded

MEASUREMENTS: Final = Table(
    "measurements",
    MetaData(),
    Column("position", BigInteger, primary_key=True),
    Column("goal", Uuid, nullable=False),
    Column("value", Numeric, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False),
)


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A row each; the position is the key, and a slice is applied once."""
    rows = [
        {"position": e.position, "goal": e.stream_id, "value": e.event.value, "measured_at": e.event.measured_at}
        for e in events
        if isinstance(e.event, GoalProgressRecorded)
    ]
    if rows:
        await connection.execute(MEASUREMENTS.insert(), rows)


PROJECTION: Final = Projection(name="measurements", topics=(TOPIC,), tables=(MEASUREMENTS,), apply=apply)
