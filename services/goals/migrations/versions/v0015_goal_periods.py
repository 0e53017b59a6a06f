"""How a goal stood at any moment, and when that was known: frozen."""

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0015"
down_revision = "0014"

_STATEMENTS = (
    """create table goal_facts (
         goal uuid not null,
         version integer not null,
         type text not null,
         data text not null,
         actor uuid not null,
         occurred_at timestamptz not null,
         known_at timestamptz not null,
         primary key (goal, version))""",
    """create table goal_periods (
         goal uuid not null,
         valid_from timestamptz not null,
         known_from timestamptz not null,
         valid_to timestamptz not null,
         known_to timestamptz not null,
         parent uuid,
         owner uuid not null,
         level text not null,
         team text,
         state text not null,
         expired boolean not null,
         weight numeric not null,
         by_children boolean not null,
         own_progress numeric,
         primary key (goal, valid_from, known_from))""",
    "create index goal_periods_by_parent on goal_periods (parent)",
    "create index goal_periods_by_owner on goal_periods (owner)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    register_reader(op.get_bind(), "goal_periods", ("goals.events",))
