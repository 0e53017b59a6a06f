"""The goals behind a review come frozen from the goals service: frozen itself; a change is a new version."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("drop table evidence_goals")
    op.execute("delete from checkpoints where reader = 'evidence' and topic = 'goals.events'")
    op.execute(
        """alter table review_sheets
             add column evidence_asked boolean not null default false,
             add column frozen_goals jsonb"""
    )
    op.execute("alter table review_sheets alter column evidence_asked drop default")
    register_reader(op.get_bind(), "take_frozen_goals_when_they_come", ("goals.events",))
