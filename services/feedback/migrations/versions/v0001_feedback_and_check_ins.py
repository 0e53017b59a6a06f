"""The first shape of the feedback service's database: event store, people, readable feedback, check-ins."""

from typing import Final

from alembic import op
from sqlalchemy import text

from shared.eventsourcing.schema import install, register_reader
from shared.people.table import create_people

revision: Final = "0001"
down_revision: Final = None

_READ_MODELS: Final = (
    """create table readable_feedback (
         feedback uuid primary key,
         author uuid not null,
         receiver uuid not null,
         kind text not null,
         visibility text not null,
         goal uuid,
         text text not null,
         given_at timestamptz not null,
         acknowledged_at timestamptz)""",
    "create index readable_feedback_by_receiver on readable_feedback (receiver, given_at, feedback)",
    "create index readable_feedback_by_author on readable_feedback (author, given_at, feedback)",
    """create table check_ins (
         check_in uuid primary key,
         person uuid not null,
         manager uuid not null,
         held_on date not null,
         notes text,
         shared boolean not null,
         goals uuid[] not null)""",
    "create index check_ins_by_person on check_ins (person, held_on, check_in)",
    "create index check_ins_by_manager on check_ins (manager, held_on, check_in)",
)


def upgrade() -> None:
    """Create everything; the readers start at the beginning."""
    connection = op.get_bind()
    install(connection)
    create_people(connection)
    for statement in _READ_MODELS:
        connection.execute(text(statement))
    for reader in ("readable_feedback", "check_ins"):
        register_reader(connection, reader, ("feedback.events",))
