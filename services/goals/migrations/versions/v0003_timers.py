"""The table of due reminders and deadlines, and goals that have expired: frozen; a change is a new version."""

from alembic import op

from shared.eventsourcing.schema import install_timers, register_reader
from shared.eventsourcing.timers import READER

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    connection = op.get_bind()
    install_timers(connection)
    register_reader(connection, READER, ("goals.events",))
    op.execute("alter table goal_tree add column expired boolean not null default false")
    op.execute("alter table goal_tree alter column expired drop default")
