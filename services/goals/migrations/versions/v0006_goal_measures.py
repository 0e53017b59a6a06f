"""What a goal's progress comes from, its raw figure, and whether its weight was said: frozen."""

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    "alter table goal_graph add column weight_by_hand boolean not null default false",
    "alter table goal_graph alter column weight_by_hand drop default",
    "create index goal_graph_by_parent on goal_graph (parent, weight_by_hand, goal)",
    "alter table goal_tree add column measured_by text",
    "update goal_tree set measured_by = case when metric is null then 'children' else 'metric' end",
    "alter table goal_tree alter column measured_by set not null",
    "alter table goal_tree add column raw_progress numeric",
    "alter table goal_tree add column weight_by_hand boolean not null default false",
    "alter table goal_tree alter column weight_by_hand drop default",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
