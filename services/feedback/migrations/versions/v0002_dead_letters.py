"""Dead letters tell culprits from what stands behind them, and what operators do is recorded: frozen."""

from alembic import op

from shared.eventsourcing import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema.extend_dead_letters(op.get_bind())
