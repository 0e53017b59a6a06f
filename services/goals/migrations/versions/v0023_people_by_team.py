"""Who works in a team, found without reading everybody: frozen."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("create index people_of_team on people (team)")
