"""The goals behind a review come frozen from the goals service: frozen itself; a change is a new version.

The release before may still be running: the table `evidence_goals`, which it reads, stays, and so does the default of
`evidence_asked`, which it does not know. They go with a migration of the release after this one: `drop table if
exists`, since it was gone in databases of a version between. Its worker's reader `evidence` stops filling the table at
once: its checkpoints would look behind for ever to all who ask how far readers are.
"""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("delete from checkpoints where reader = 'evidence' and topic = 'goals.events'")
    op.execute(
        """alter table review_sheets
             add column evidence_asked boolean not null default false,
             add column frozen_goals jsonb"""
    )
    register_reader(op.get_bind(), "take_frozen_goals_when_they_come", ("goals.events",))
