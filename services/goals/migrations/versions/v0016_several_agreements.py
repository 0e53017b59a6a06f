"""Each agreed plan that weighs a goal holds it: frozen."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("alter table goal_profiles add column agreements uuid[] not null default '{}'")
    op.execute("update goal_profiles set agreements = array[locked_by] where locked_by is not null")
    op.execute("alter table goal_profiles alter column agreements drop default, drop column locked_by")
