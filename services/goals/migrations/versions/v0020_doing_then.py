"""What of a goal its health is computed from, also of the past: frozen. A build fills it in."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute(
        """alter table goal_periods
             add column starts_on date,
             add column ends_on date,
             add column measured_at timestamptz,
             add column said_health text,
             add column said_progress numeric"""
    )
