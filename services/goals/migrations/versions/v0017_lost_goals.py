"""A plan says which of its goals were lost when their owner left: frozen."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("alter table goal_plans add column lost uuid[] not null default '{}'")
    op.execute("alter table goal_plans alter column lost drop default")
