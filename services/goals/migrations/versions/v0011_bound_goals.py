"""Goals that are bound to KPIs, and the reader that moves them: frozen."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("create table goals_bound_to_kpis (goal uuid primary key, kpi uuid not null)")
    op.execute("create index goals_bound_to_kpis_by_kpi on goals_bound_to_kpis (kpi, goal)")
    register_reader(op.get_bind(), "move_goals_when_kpi_is_measured", ("goals.events",))
