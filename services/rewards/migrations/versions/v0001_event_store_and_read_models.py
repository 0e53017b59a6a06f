"""The event store and the first read models: frozen; a change is a new version."""

from typing import Final

from alembic import op

from shared.eventsourcing import schema
from shared.people.table import create_people

revision = "0001"
down_revision = None

_TABLES: Final = (
    """create table rewards (
         reward uuid primary key,
         version integer not null,
         status text not null,
         person uuid not null,
         cycle uuid not null,
         review uuid not null,
         program uuid,
         pool uuid,
         nominated_by uuid,
         approved_by uuid,
         payment uuid,
         reason text,
         rating numeric,
         percent numeric,
         currency text,
         amount bigint,
         increase bigint,
         lump_sum bigint,
         warnings text[] not null,
         proposed_at timestamptz not null)""",
    "create index rewards_by_time on rewards (proposed_at, reward)",
    "create index rewards_by_person on rewards (person)",
    """create table budget_pools (
         pool uuid primary key,
         name text not null,
         currency text not null,
         amount numeric not null,
         position bigint not null)""",
    """create table budget_holds (
         pool uuid not null,
         reward uuid not null,
         reserved bigint not null,
         committed bigint not null,
         position bigint not null,
         primary key (pool, reward))""",
    """create table approved_payments (
         payment uuid primary key,
         reward uuid not null,
         currency text not null,
         amount bigint not null)""",
    """create table issued_payments (
         payment uuid not null,
         version integer not null,
         reward uuid not null,
         person uuid not null,
         currency text not null,
         amount bigint not null,
         pay_group text not null,
         pay_date date not null,
         primary key (payment, version))""",
    """create table payroll_answers (
         payment uuid not null,
         version integer not null,
         answer text not null,
         refused boolean not null,
         detail text,
         primary key (payment, version, answer, refused))""",
    """create table duties (
         reward uuid not null,
         duty text not null,
         person uuid not null,
         primary key (reward, duty, person))""",
    """create table compensation (
         person uuid primary key,
         revision integer not null,
         currency text not null,
         base_salary bigint not null,
         range_minimum bigint not null,
         range_maximum bigint not null,
         per text not null)""",
)
_READERS: Final = {
    "rewards_by_status": ("rewards.events",),
    "budget_left": ("rewards.events",),
    "reconciliation": ("rewards.events",),
    "duties": ("rewards.events",),
    "propose_reward_when_review_completed": ("reviews.events",),
}


def upgrade() -> None:
    connection = op.get_bind()
    schema.install(connection)
    create_people(connection)
    for statement in _TABLES:
        op.execute(statement)
    for reader, topics in _READERS.items():
        schema.register_reader(connection, reader, topics)
