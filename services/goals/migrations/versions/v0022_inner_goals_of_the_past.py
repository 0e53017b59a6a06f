"""The goals of the past that others measure, found among what was measured of all: frozen."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("create index goal_periods_by_children on goal_periods (goal) where by_children")
