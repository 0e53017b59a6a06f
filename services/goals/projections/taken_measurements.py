"""Measurements taken: the index by which an id is taken once in the whole company, written with the events themselves.

It also holds what a bound goal is worked out from, so that a goal never lags behind what was acknowledged.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    DateTime,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.kpi_month import TakenMeasurement
from services.goals.domain.kpi_value import aggregated
from services.goals.projections.kpi_totals import counting, totals_columns, totals_of
from shared.eventsourcing.database import driver
from shared.eventsourcing.errors import Conflict
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import KpiAggregation, KpiMeasured, KpiMeasurementCorrected

Measured: TypeAlias = KpiMeasured | KpiMeasurementCorrected

TAKEN: Final = Table(
    "kpi_measurements_taken",
    MetaData(),
    Column("measurement", Text(collation="C"), primary_key=True),
    Column("kpi", Uuid, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False),
    Column("measured_on", Date, nullable=False),
    Column("value", Numeric),
    Column("numerator", Numeric),
    Column("denominator", Numeric),
    Column("source", Text, nullable=False),
    Column("corrects", Text(collation="C"), unique=True),
    Column("reason", Text),
    Index("kpi_measurements_taken_by_day", "kpi", "measured_on"),
)
_COLUMNS: Final = tuple(column.name for column in TAKEN.columns)
_OF_CORRECTIONS: Final = ("corrects", "reason")
_FIND: Final = """select t.*, c.measurement as corrected_by
                   from kpi_measurements_taken t left join kpi_measurements_taken c on c.corrects = t.measurement
                  where t.measurement = any($1::text[])"""
_ROWS: Final = """unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::date[], $5::numeric[], $6::numeric[],
                        $7::numeric[], $8::text[], $9::text[], $10::text[])"""
_TAKE: Final = f"insert into kpi_measurements_taken select * from {_ROWS} on conflict do nothing"  # noqa: S608 - constants
_REBUILD: Final = text(
    """insert into kpi_measurements_taken
         select d ->> 'measurement', (d ->> 'kpi')::uuid, (d ->> 'measured_at')::timestamptz,
                (d ->> 'measured_on')::date, (d ->> 'value')::numeric, (d ->> 'numerator')::numeric,
                (d ->> 'denominator')::numeric, d ->> 'source', d ->> 'corrects', d ->> 'reason'
           from (select data::jsonb as d from events where type = any(:types)) e"""
)


async def find(connection: AsyncConnection, measurements: Collection[str]) -> dict[str, TakenMeasurement]:
    """Those of the measurements that were taken, each with the one that corrects it."""
    rows = await (await driver(connection)).fetch(_FIND, sorted(measurements))
    return {row["measurement"]: _taken(row) for row in rows}


def _taken(row: Any) -> TakenMeasurement:
    said = dict(row) | ({"value": None} if row["denominator"] is not None else {})
    return TakenMeasurement.model_validate(said)


async def take(connection: AsyncConnection, measured: Iterable[Measured]) -> None:
    """Write down that these are taken, in the transaction that appends their events; sorted, so that nobody deadlocks.

    Raises:
        Conflict: one of them was taken, or what it corrects was corrected, at this very moment.
    """
    rows = sorted((_row(event) for event in measured), key=lambda row: row[0])
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    done: str = await (await driver(connection)).execute(_TAKE, *columns)
    if done != f"INSERT 0 {len(rows)}":
        raise Conflict(*(f"measurement {row[0]}" for row in rows[:1]))


def _row(event: Measured) -> Sequence[Any]:
    beside = dict.fromkeys(_OF_CORRECTIONS) if isinstance(event, KpiMeasured) else {}
    return [beside[name] if name in beside else getattr(event, name) for name in _COLUMNS]


async def latest(connection: AsyncConnection, kpi: KpiId, first: date, last: date) -> tuple[datetime, date] | None:
    """The latest time, and its day, of what counts from the first to the last day; None: nothing does."""
    query = select(func.max(TAKEN.c.measured_at), func.max(TAKEN.c.measured_on)).where(*_between(kpi, first, last))
    moment, day = (await connection.execute(query)).one()
    return None if day is None else (moment, day)


async def value(
    connection: AsyncConnection, kpi: KpiId, how: KpiAggregation, *, days: tuple[date, date], per: Decimal
) -> Decimal | None:
    """The KPI's one value over the days, as far as this transaction sees; None: there is none."""
    columns = totals_columns(TAKEN, last=how is KpiAggregation.LAST)
    row = (await connection.execute(select(*columns).where(*_between(kpi, *days)))).one()
    return aggregated(totals_of(row), how, per)


def _between(kpi: KpiId, first: date, last: date) -> list[ColumnElement[bool]]:
    return [TAKEN.c.kpi == kpi, TAKEN.c.measured_on.between(first, last), counting(TAKEN)]


async def rebuild(connection: AsyncConnection) -> None:
    """Write the index again from the events."""
    await connection.execute(TAKEN.delete())
    await connection.execute(_REBUILD, {"types": [KpiMeasured.event_type, KpiMeasurementCorrected.event_type]})
