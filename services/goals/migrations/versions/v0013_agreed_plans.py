"""Which plans of a person are agreed, and the reader that answers reviews from them: frozen."""

from typing import Final

from alembic import op

from shared.eventsourcing.schema import register_reader

revision = "0013"
down_revision = "0012"

_STATEMENTS: Final = (
    """create table agreed_plans (
         plan uuid primary key,
         owner uuid not null,
         level text not null,
         starts_on date not null,
         ends_on date not null)""",
    "create index agreed_plans_by_owner on agreed_plans (owner, starts_on, plan)",
    """insert into agreed_plans (plan, owner, level, starts_on, ends_on)
       select substr(stream, 10)::uuid, (data::jsonb ->> 'owner')::uuid,
              coalesce(data::jsonb ->> 'level', 'person'),
              (data::jsonb ->> 'starts_on')::date, (data::jsonb ->> 'ends_on')::date
         from events where type = 'trellis.goals.GoalPlanAgreed.v1'
       on conflict do nothing""",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    register_reader(op.get_bind(), "freeze_evidence_when_a_review_asks", ("reviews.events",))
