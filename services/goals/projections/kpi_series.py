"""KPI series: what was measured, with all corrections, and the course of it by day, week, month or quarter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    func,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.domain.kpi_value import Totals
from services.goals.projections.kpi_totals import counting, totals_columns, totals_of
from shared.eventsourcing.database import driver
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import KpiId
from shared.schemas.kpis import KpiMeasured, KpiMeasurementCorrected


class Step(StrEnum):
    """How long one point of a series is; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


MEASUREMENTS: Final = Table(
    "kpi_measurements",
    MetaData(),
    Column("measurement", Text(collation="C"), primary_key=True),
    Column("kpi", Uuid, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False),
    Column("measured_on", Date, nullable=False),
    Column("value", Numeric),
    Column("numerator", Numeric),
    Column("denominator", Numeric),
    Column("source", Text, nullable=False),
    Column("late_days", Integer, nullable=False),
    Column("corrects", Text(collation="C")),
    Column("reason", Text),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("kpi_measurements_by_day", "kpi", "measured_on"),
    Index("kpi_measurements_by_time", "kpi", "measured_at", "measurement"),
    Index("kpi_measurements_corrected", "corrects"),
)
_COLUMNS: Final = tuple(column.name for column in MEASUREMENTS.columns)
_WRITE: Final = """insert into kpi_measurements
  select * from unnest($1::text[], $2::uuid[], $3::timestamptz[], $4::date[], $5::numeric[], $6::numeric[],
                       $7::numeric[], $8::text[], $9::int[], $10::text[], $11::text[], $12::timestamptz[])
  on conflict do nothing"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRow:
    """A measurement, and the one that took its place; only one that was not corrected counts."""

    measurement: str
    kpi: KpiId
    measured_at: datetime
    measured_on: date
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    source: str
    late_days: int
    corrects: str | None
    reason: str | None
    recorded_at: datetime
    corrected_by: str | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A measurement is one row and never changes: what corrects it is a row of its own, in any order of delivery."""
    rows = [row for recorded in events if (row := _row(recorded)) is not None]
    if rows:
        columns = [list(column) for column in zip(*sorted(rows, key=lambda row: row[0]), strict=True)]
        await (await driver(connection)).execute(_WRITE, *columns)


def _row(recorded: Recorded) -> Sequence[Any] | None:
    event = recorded.event
    beside: dict[str, Any] = {"corrects": None, "reason": None, "recorded_at": recorded.envelope.recorded_at}
    match event:
        case KpiMeasured():
            pass
        case KpiMeasurementCorrected():
            beside |= {"corrects": event.corrects, "reason": event.reason}
        case _:
            return None
    return [beside[name] if name in beside else getattr(event, name) for name in _COLUMNS]


async def series(
    connection: AsyncConnection, kpi: KpiId, step: Step, *, first: date | None, last: date | None
) -> list[tuple[date, Totals]]:
    """The first day of each step in which anything was measured, and what was, the earliest first."""
    starts_on = func.date_trunc(step.value, MEASUREMENTS.c.measured_on).cast(Date).label("starts_on")
    query = select(starts_on, *totals_columns(MEASUREMENTS, last=True)).where(MEASUREMENTS.c.kpi == kpi)
    if first is not None:
        query = query.where(MEASUREMENTS.c.measured_on >= first)
    if last is not None:
        query = query.where(MEASUREMENTS.c.measured_on <= last)
    query = query.where(counting(MEASUREMENTS)).group_by(starts_on).order_by(starts_on)
    return [(row[0], totals_of(row[1:])) for row in await connection.execute(query)]


async def totals(connection: AsyncConnection, kpi: KpiId, *, first: date | None, last: date | None) -> Totals:
    """What was measured from the first day to the last, all of it together."""
    query = select(*totals_columns(MEASUREMENTS, last=True)).where(MEASUREMENTS.c.kpi == kpi)
    if first is not None:
        query = query.where(MEASUREMENTS.c.measured_on >= first)
    if last is not None:
        query = query.where(MEASUREMENTS.c.measured_on <= last)
    return totals_of((await connection.execute(query.where(counting(MEASUREMENTS)))).one())


async def measurements(
    connection: AsyncConnection, kpi: KpiId, *, after: tuple[datetime, str] | None, limit: int
) -> list[MeasurementRow]:
    """All of them, corrected ones too, by their time."""
    correction = MEASUREMENTS.alias("correction")
    query = (
        select(MEASUREMENTS, correction.c.measurement.label("corrected_by"))
        .outerjoin(correction, correction.c.corrects == MEASUREMENTS.c.measurement)
        .where(MEASUREMENTS.c.kpi == kpi)
        .order_by(MEASUREMENTS.c.measured_at, MEASUREMENTS.c.measurement)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(MEASUREMENTS.c.measured_at, MEASUREMENTS.c.measurement) > tuple_(*after))
    return [MeasurementRow(**row) for row in (await connection.execute(query)).mappings()]


PROJECTION: Final = Projection(
    name="kpi_series",
    topics=(TOPIC,),
    tables=(MEASUREMENTS,),
    apply=apply,
    events=(KpiMeasured, KpiMeasurementCorrected),
)
