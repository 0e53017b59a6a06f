"""The reason of a correction is part of what was reported under its id: frozen."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("alter table kpi_measurements_taken add column reason text")
    op.execute(
        """update kpi_measurements_taken t set reason = e.data::jsonb ->> 'reason'
             from events e
            where e.type = 'trellis.goals.KpiMeasurementCorrected.v1'
              and e.data::jsonb ->> 'measurement' = t.measurement"""
    )
