"""Who sees a goal and who works on it, and the goal graph with both kinds of link and the dates: frozen."""

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

_TABLES: Final = (
    "alter table goal_tree add column visibility text",
    "alter table goal_tree add column contributors uuid[] not null default '{}'",
    "alter table goal_tree alter column contributors drop default",
    "create index goal_tree_by_contributor on goal_tree using gin (contributors)",
    """create table goal_contributions (
         goal uuid not null,
         contributes_to uuid not null,
         primary key (goal, contributes_to))""",
    "create index goal_contributions_by_target on goal_contributions (contributes_to)",
    "alter table goal_graph add column starts_on date",
    "alter table goal_graph add column ends_on date",
    "alter table goal_graph add column state text",
    """update goal_graph g set (starts_on, ends_on, state) =
         (select (data::jsonb ->> 'starts_on')::date, (data::jsonb ->> 'ends_on')::date,
                 case when exists (select from events c where c.stream = e.stream
                                      and c.type = 'trellis.goals.GoalCancelled.v1') then 'cancelled'
                      when exists (select from events c where c.stream = e.stream
                                      and c.type = 'trellis.goals.GoalAchieved.v1') then 'closed'
                      else 'active' end
            from events e where e.stream = 'goal-' || g.goal and e.version = 1)""",
    "alter table goal_graph alter column starts_on set not null",
    "alter table goal_graph alter column ends_on set not null",
    "alter table goal_graph alter column state set not null",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
