"""The event store, the goal graph, and the first read models: frozen; a change is a new version."""

from typing import Final

from alembic import op

from shared.eventsourcing import schema
from shared.people.table import create_people

revision = "0001"
down_revision = None

_TABLES: Final = (
    "create table goal_graph (goal uuid primary key, parent uuid)",
    "create table goal_graph_lock (id smallint primary key default 1 check (id = 1))",
    "insert into goal_graph_lock default values",
    """create table goal_tree (
         goal uuid primary key,
         version integer not null,
         state text not null,
         level text not null,
         owner uuid not null,
         team text,
         title text,
         sealed_title text,
         metric jsonb,
         starts_on date not null,
         ends_on date not null,
         parent uuid,
         weight numeric not null,
         value numeric,
         own_progress numeric,
         regressed boolean not null,
         measured_at timestamptz,
         closed_on date,
         progress numeric)""",
    "create index goal_tree_by_parent on goal_tree (parent, goal)",
    "create index goal_tree_by_owner on goal_tree (owner, goal)",
    """create table goal_plans (
         plan uuid primary key,
         version integer not null,
         state text not null,
         owner uuid not null,
         starts_on date not null,
         ends_on date not null,
         weights jsonb not null,
         proposed_by uuid,
         agreed_by uuid)""",
    "create index goal_plans_by_owner on goal_plans (owner, starts_on, plan)",
)


def upgrade() -> None:
    connection = op.get_bind()
    schema.install(connection)
    create_people(connection)
    for statement in _TABLES:
        op.execute(statement)
    for reader in ("goal_tree", "goal_plans"):
        schema.register_reader(connection, reader, ("goals.events",))
