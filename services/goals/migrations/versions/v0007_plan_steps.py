"""Plans of teams and of the organization, amendments that wait, and the steps of every plan."""

from typing import Final

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0007"
down_revision = "0006"

_STATEMENTS: Final = (
    "alter table goal_plans add column level text not null default 'person'",
    "alter table goal_plans alter column level drop default",
    "alter table goal_plans add column amendment uuid",
    "alter table goal_plans add column amendment_by uuid",
    """create table goal_plan_steps (
         plan uuid,
         version integer,
         type text not null,
         data text not null,
         by uuid not null,
         at timestamptz not null,
         primary key (plan, version))""",
    """create table goal_wordings (
         goal uuid,
         version integer,
         title text,
         sealed_title text,
         metric jsonb,
         starts_on date,
         ends_on date,
         by uuid not null,
         primary key (goal, version))""",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    register_reader(op.get_bind(), "plan_steps", ("goals.events",))
