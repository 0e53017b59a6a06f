"""The table of due reminders and deadlines: frozen; a change is a new version."""

from alembic import op

from shared.eventsourcing.schema import install_timers

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    install_timers(op.get_bind())
