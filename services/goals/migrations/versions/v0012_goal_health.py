"""What people say of a goal's health: frozen."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("alter table goal_tree add column said_health jsonb")
