"""Objectives and their grades: frozen."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("alter table goal_profiles add column objective text, add column grade text")
