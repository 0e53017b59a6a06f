"""KPIs: which there are, what they are measured in and against, and who answers for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Index, Integer, MetaData, Numeric, RowMapping, Table, Text, Uuid, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import KpiId, PersonId
from shared.schemas.kpis import (
    EVENTS,
    KpiAggregation,
    KpiDefined,
    KpiDirection,
    KpiHandedOver,
    KpiKind,
    KpiRenamed,
    KpiRetired,
    KpiSourceChanged,
    KpiTargetRevised,
    KpiThresholds,
)


class KpiState(StrEnum):
    """Where a KPI is in its life."""

    CURRENT = "current"
    RETIRED = "retired"


KPIS: Final = Table(
    "kpis",
    MetaData(),
    Column("kpi", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),
    Column("per", Numeric, nullable=False),
    Column("direction", Text, nullable=False),
    Column("aggregation", Text, nullable=False),
    Column("target", Numeric),
    Column("on_track", Numeric),
    Column("at_risk", Numeric),
    Column("owner", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    Index("kpis_by_code", "code"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiRow:
    """A KPI as it stands; `target` and thresholds in its unit, `per` is what a ratio is multiplied by."""

    kpi: KpiId
    version: int
    state: KpiState
    code: str
    name: str
    kind: KpiKind
    unit: str | None
    per: Decimal
    direction: KpiDirection
    aggregation: KpiAggregation
    target: Decimal | None
    thresholds: KpiThresholds | None
    owner: PersonId
    source: str


def kpi_id(code: str) -> KpiId:
    """A code is given once."""
    return KpiId(derived("kpi", code))


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A KPI is one stream, hence one row that no other partition touches; its events are written in their order."""
    for recorded in events:
        if isinstance(recorded.event, KpiDefined):
            row = {"kpi": recorded.stream_id, "version": recorded.version, **_defined(recorded.event)}
            statement = insert(KPIS).values(row)
            await connection.execute(statement.on_conflict_do_update(index_elements=[KPIS.c.kpi], set_=row))
        elif (changed := _changed(recorded.event)) is not None:
            moved = update(KPIS).where(KPIS.c.kpi == recorded.stream_id)
            await connection.execute(moved.values(version=recorded.version, **changed))


def _defined(event: KpiDefined) -> dict[str, Any]:
    return {
        "state": KpiState.CURRENT,
        "code": event.code,
        "name": event.name,
        "kind": event.kind.value,
        "unit": event.unit,
        "per": event.per,
        "direction": event.direction.value,
        "aggregation": event.aggregation.value,
        "owner": event.owner,
        "source": event.source,
        **_judged(event.target, event.thresholds),
    }


def _changed(event: Event) -> dict[str, Any] | None:
    match event:
        case KpiTargetRevised():
            return _judged(event.target, event.thresholds)
        case KpiRenamed():
            return {"name": event.name}
        case KpiHandedOver():
            return {"owner": event.owner}
        case KpiSourceChanged():
            return {"source": event.source}
        case KpiRetired():
            return {"state": KpiState.RETIRED}
        case _:
            return None


def _judged(target: Decimal | None, thresholds: KpiThresholds | None) -> dict[str, Any]:
    return {
        "target": target,
        "on_track": thresholds.on_track if thresholds else None,
        "at_risk": thresholds.at_risk if thresholds else None,
    }


async def find(connection: AsyncConnection, kpi: KpiId) -> KpiRow | None:
    row = (await connection.execute(select(KPIS).where(KPIS.c.kpi == kpi))).mappings().one_or_none()
    return None if row is None else _row(row)


async def listed(
    connection: AsyncConnection, *, owner: PersonId | None, state: KpiState | None, after: str | None, limit: int
) -> list[KpiRow]:
    """The KPIs by their codes."""
    query = select(KPIS).order_by(KPIS.c.code).limit(limit)
    if owner is not None:
        query = query.where(KPIS.c.owner == owner)
    if state is not None:
        query = query.where(KPIS.c.state == state)
    if after is not None:
        query = query.where(KPIS.c.code > after)
    return [_row(row) for row in (await connection.execute(query)).mappings()]


def _row(columns: RowMapping) -> KpiRow:
    values: dict[str, Any] = {
        **columns,
        "state": KpiState(columns["state"]),
        "kind": KpiKind(columns["kind"]),
        "direction": KpiDirection(columns["direction"]),
        "aggregation": KpiAggregation(columns["aggregation"]),
    }
    on_track, at_risk = values.pop("on_track"), values.pop("at_risk")
    judged = None if on_track is None else KpiThresholds(on_track=on_track, at_risk=at_risk)
    return KpiRow(**values, thresholds=judged)


PROJECTION: Final = Projection(name="kpis", topics=(TOPIC,), tables=(KPIS,), apply=apply, events=EVENTS)
