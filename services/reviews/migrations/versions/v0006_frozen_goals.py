"""The goals behind a review come frozen from the goals service: frozen itself; a change is a new version.

The release before may still be running: the table `evidence_goals` stays, and so do the checkpoints by which its reader
`evidence` fills it from goals.events, and the default of `evidence_asked`, which it does not know. They go with a
migration of the release after this one (`drop table if exists`: it was gone in databases of a version between).
"""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """alter table review_sheets
             add column evidence_asked boolean not null default false,
             add column frozen_goals jsonb"""
    )
    register_reader(op.get_bind(), "take_frozen_goals_when_they_come", ("goals.events",))
