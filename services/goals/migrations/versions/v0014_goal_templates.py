"""The library of goals: frozen."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(
        """create table goal_templates (
             template uuid primary key,
             version integer not null,
             state text not null,
             name text not null,
             goal jsonb not null)"""
    )
    op.execute("create index goal_templates_by_name on goal_templates (name, template)")
    register_reader(op.get_bind(), "goal_templates", ("goals.events",))
