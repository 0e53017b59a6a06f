"""The first shape of the reviews service's database: event store, people, cycles, reviews, inbox, evidence."""

from typing import Final

from alembic import op
from sqlalchemy import text

from shared.eventsourcing.schema import install, register_reader
from shared.people.table import create_people

revision: Final = "0001"
down_revision: Final = None

_READ_MODELS: Final = (
    """create table cycles (
         cycle uuid primary key,
         name text not null,
         starts_on date not null,
         ends_on date not null,
         policy jsonb not null,
         population integer not null,
         state text not null,
         version integer not null,
         opened_at timestamptz not null,
         closed_at timestamptz)""",
    """create table reviews_by_cycle (
         review uuid primary key,
         cycle uuid not null,
         person uuid not null,
         manager uuid,
         state text not null,
         rated boolean,
         overall numeric,
         level text,
         version integer not null,
         opened_at timestamptz not null,
         changed_at timestamptz not null)""",
    "create index reviews_by_cycle_by_cycle on reviews_by_cycle (cycle, review)",
    "create index reviews_by_cycle_by_person on reviews_by_cycle (person, review)",
    "create index reviews_by_cycle_by_manager on reviews_by_cycle (manager, review)",
    """create table review_sheets (
         review uuid primary key,
         cycle uuid not null,
         person uuid not null,
         manager uuid,
         policy jsonb not null,
         state text not null,
         version integer not null,
         opened_at timestamptz not null,
         changed_at timestamptz not null,
         self_ratings jsonb,
         self_comment jsonb,
         assessor uuid,
         ratings jsonb,
         comment jsonb,
         evidence jsonb,
         evidence_hash text,
         score jsonb,
         approver uuid,
         releaser uuid,
         acknowledgement jsonb)""",
    """create table review_inbox (
         review uuid primary key,
         cycle uuid not null,
         person uuid not null,
         manager uuid,
         assessor uuid,
         state text not null,
         version integer not null,
         since timestamptz not null)""",
    "create index review_inbox_by_person on review_inbox (person) where state <> 'completed'",
    "create index review_inbox_by_manager on review_inbox (manager) where state <> 'completed'",
    "create index review_inbox_by_state on review_inbox (state, since) where state <> 'completed'",
    "create table review_inbox_closed_cycles (cycle uuid primary key)",
    """create table evidence_goals (
         goal uuid primary key,
         owner uuid not null,
         starts_on date not null,
         ends_on date not null,
         cancelled boolean not null,
         progress numeric,
         version integer not null,
         position bigint not null)""",
    "create index evidence_goals_by_owner on evidence_goals (owner)",
    """create table evidence_feedback (
         feedback uuid primary key,
         receiver uuid not null,
         given_on date not null,
         version integer not null)""",
    "create index evidence_feedback_by_receiver on evidence_feedback (receiver, given_on)",
)
_READERS: Final = {
    "cycles": ("reviews.events",),
    "reviews_by_cycle": ("reviews.events",),
    "review_sheet": ("reviews.events",),
    "review_inbox": ("reviews.events",),
    "evidence": ("goals.events", "feedback.events"),
}


def upgrade() -> None:
    """Create everything; the readers start at the beginning."""
    connection = op.get_bind()
    install(connection)
    create_people(connection)
    for statement in _READ_MODELS:
        connection.execute(text(statement))
    for reader, topics in _READERS.items():
        register_reader(connection, reader, topics)
