"""Goal templates: which goals does the library hold, and which has it held?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Index, Integer, MetaData, RowMapping, Table, Text, Uuid, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_templates import (
    EVENTS,
    GoalTemplateCreated,
    GoalTemplateRetired,
    GoalTemplateRewritten,
    TemplatedGoal,
)
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalTemplateId


class TemplateState(StrEnum):
    """Where a template is in its life."""

    CURRENT = "current"
    RETIRED = "retired"


TEMPLATES: Final = Table(
    "goal_templates",
    MetaData(),
    Column("template", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("goal", JSONB, nullable=False, comment="as in the event"),
    Index("goal_templates_by_name", "name", "template"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """A template as it stands."""

    template: GoalTemplateId
    version: int
    state: TemplateState
    name: str
    goal: TemplatedGoal


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A template is one stream, hence one row that no other partition touches."""
    for recorded in events:
        match recorded.event:
            case GoalTemplateCreated() | GoalTemplateRewritten() as event:
                said = {"state": TemplateState.CURRENT, "name": event.name, "goal": event.goal.model_dump(mode="json")}
                row = {"template": recorded.stream_id, "version": recorded.version, **said}
                statement = insert(TEMPLATES).values(row)
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=[TEMPLATES.c.template], set_=row)
                )
            case GoalTemplateRetired():
                retired = update(TEMPLATES).where(TEMPLATES.c.template == recorded.stream_id)
                await connection.execute(retired.values(version=recorded.version, state=TemplateState.RETIRED))
            case _:
                pass


async def find(connection: AsyncConnection, template: GoalTemplateId) -> TemplateRow | None:
    query = select(TEMPLATES).where(TEMPLATES.c.template == template)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def listed(
    connection: AsyncConnection, *, state: TemplateState | None, after: tuple[str, GoalTemplateId] | None, limit: int
) -> list[TemplateRow]:
    """The templates by their names."""
    key = (TEMPLATES.c.name, TEMPLATES.c.template)
    query = select(TEMPLATES).order_by(*key).limit(limit)
    if state is not None:
        query = query.where(TEMPLATES.c.state == state)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return [_row(row) for row in (await connection.execute(query)).mappings()]


def _row(columns: RowMapping) -> TemplateRow:
    values: dict[str, Any] = {
        **columns,
        "state": TemplateState(columns["state"]),
        "goal": TemplatedGoal.model_validate(columns["goal"]),
    }
    return TemplateRow(**values)


PROJECTION: Final = Projection(name="goal_templates", topics=(TOPIC,), tables=(TEMPLATES,), apply=apply, events=EVENTS)
