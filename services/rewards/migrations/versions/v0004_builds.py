"""Builds: the tables of a projection that serve, are being filled beside those, or are kept."""

from alembic import op

from shared.eventsourcing import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema.install_builds(op.get_bind())
