"""What a goal is about, stands for and is tied to: frozen."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        """create table goal_profiles (
             goal uuid primary key,
             description text,
             sealed_description text,
             values text[] not null,
             competencies text[] not null,
             tags text[] not null,
             contributes_to uuid[] not null,
             carried_from uuid,
             carried_to uuid,
             locked_by uuid,
             confidence smallint,
             note text,
             reason text,
             comment text)"""
    )
    register_reader(op.get_bind(), "goal_profiles", ("goals.events",))
