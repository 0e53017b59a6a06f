"""Assignments of templates, and each person's result: frozen."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute(
        """create table goal_assignments (
             assignment uuid primary key,
             version integer not null,
             state text not null,
             templates jsonb not null,
             starts_on date not null,
             ends_on date not null,
             parent uuid,
             population jsonb not null,
             people integer not null,
             begun_by uuid not null,
             begun_at timestamptz not null)"""
    )
    op.execute(
        """create table goal_assignment_results (
             assignment uuid,
             person uuid,
             template uuid,
             outcome text not null,
             goal uuid,
             rule text,
             message text,
             primary key (assignment, person, template))"""
    )
    op.execute("create index goal_assignment_results_by_goal on goal_assignment_results (assignment, goal)")
    register_reader(op.get_bind(), "goal_assignments", ("goals.events",))
