"""Goal policies, each as it was adopted."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """create table goal_policies (
             number integer primary key,
             version text not null unique,
             preset text,
             options jsonb not null,
             reason text not null,
             adopted_by uuid not null,
             adopted_at timestamptz not null)"""
    )
    register_reader(op.get_bind(), "goal_policies", ("goals.events",))
