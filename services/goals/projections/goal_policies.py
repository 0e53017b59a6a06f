"""Goal policies: which policies has the company adopted, since when, by whom and why?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import Column, DateTime, Integer, MetaData, RowMapping, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_policies import GoalPolicyAdopted, Preset
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import PersonId

POLICIES: Final = Table(
    "goal_policies",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("version", Text, nullable=False, unique=True),
    Column("preset", Text),
    Column("options", JSONB, nullable=False, comment="as in the event"),
    Column("reason", Text, nullable=False),
    Column("adopted_by", Uuid, nullable=False),
    Column("adopted_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A policy as it was adopted; the highest number is in force."""

    number: int
    version: str
    preset: Preset | None
    options: Mapping[str, JsonValue]
    reason: str
    adopted_by: PersonId
    adopted_at: datetime


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A policy is written once and never changes."""
    rows = [
        {
            "number": record.version,
            **record.event.model_dump(mode="json"),
            "adopted_by": record.event.adopted_by,
            "adopted_at": record.envelope.time,
        }
        for record in events
        if isinstance(record.event, GoalPolicyAdopted)
    ]
    if rows:
        await connection.execute(insert(POLICIES).on_conflict_do_nothing(), rows)


async def adopted(connection: AsyncConnection, *, before: int | None, limit: int) -> list[PolicyRow]:
    """The newest first."""
    query = select(POLICIES).order_by(POLICIES.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(POLICIES.c.number < before)
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def find(connection: AsyncConnection, version: str) -> PolicyRow | None:
    query = select(POLICIES).where(POLICIES.c.version == version)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def in_force_at(connection: AsyncConnection, at: datetime) -> PolicyRow | None:
    """The last one that was adopted by then; None: none was."""
    query = select(POLICIES).where(POLICIES.c.adopted_at <= at).order_by(POLICIES.c.number.desc()).limit(1)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


def _row(columns: RowMapping) -> PolicyRow:
    preset = columns["preset"]
    values: dict[str, Any] = {**columns, "preset": None if preset is None else Preset(preset)}
    return PolicyRow(**values)


PROJECTION: Final = Projection(
    name="goal_policies", topics=(TOPIC,), tables=(POLICIES,), apply=apply, events=(GoalPolicyAdopted,)
)
