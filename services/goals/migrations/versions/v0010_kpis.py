"""KPIs, what was measured of them, and the index by which a measurement is taken once: frozen."""

from typing import Final

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0010"
down_revision = "0009"

_TABLES: Final = (
    """create table kpi_measurements_taken (
         measurement text collate "C" primary key,
         kpi uuid not null,
         measured_at timestamptz not null,
         measured_on date not null,
         value numeric,
         numerator numeric,
         denominator numeric,
         source text not null,
         corrects text collate "C" unique)""",
    "create index kpi_measurements_taken_by_day on kpi_measurements_taken (kpi, measured_on)",
    """create table kpis (
         kpi uuid primary key,
         version integer not null,
         state text not null,
         code text not null,
         name text not null,
         kind text not null,
         unit text,
         per numeric not null,
         direction text not null,
         aggregation text not null,
         target numeric,
         on_track numeric,
         at_risk numeric,
         owner uuid not null,
         source text not null)""",
    "create index kpis_by_code on kpis (code)",
    """create table kpi_measurements (
         measurement text collate "C" primary key,
         kpi uuid not null,
         measured_at timestamptz not null,
         measured_on date not null,
         value numeric,
         numerator numeric,
         denominator numeric,
         source text not null,
         late_days integer not null,
         corrects text collate "C",
         reason text,
         recorded_at timestamptz not null)""",
    "create index kpi_measurements_by_day on kpi_measurements (kpi, measured_on)",
    "create index kpi_measurements_by_time on kpi_measurements (kpi, measured_at, measurement)",
    "create index kpi_measurements_corrected on kpi_measurements (corrects)",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in _TABLES:
        op.execute(statement)
    for reader in ("kpis", "kpi_series"):
        register_reader(connection, reader, ("goals.events",))
