"""Reviews are reminded of steps that are due: frozen; a change is a new version."""

from alembic import op

from shared.eventsourcing.schema import register_reader
from shared.eventsourcing.timers import READER

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    register_reader(op.get_bind(), READER, ("reviews.events",))
    op.execute(
        """alter table review_inbox
             add column self_assessment_due_on date,
             add column manager_assessment_due_on date,
             add column self_assessment_reminded_at timestamptz,
             add column manager_assessment_reminded_at timestamptz"""
    )
