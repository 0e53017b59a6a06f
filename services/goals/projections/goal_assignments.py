"""Goal assignments: which templates were given to whom, how far is it, and what became of each person's goal?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    RowMapping,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing import bulk
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_assignments import (
    EVENTS,
    AssignedGoalsWithdrawn,
    AssignmentOutcome,
    GoalAssignmentBegun,
    GoalAssignmentFinished,
    GoalAssignmentUndone,
    GoalsAssigned,
    Population,
    WithdrawalOutcome,
)
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalAssignmentId, GoalId, GoalTemplateId, PersonId


class AssignmentState(StrEnum):
    """Where an assignment is in its life."""

    ASSIGNING = "assigning"
    ASSIGNED = "assigned"
    UNDONE = "undone"


_METADATA: Final = MetaData()
ASSIGNMENTS: Final = Table(
    "goal_assignments",
    _METADATA,
    Column("assignment", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("templates", JSONB, nullable=False, comment="their ids"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("parent", Uuid),
    Column("population", JSONB, nullable=False, comment="as in the event"),
    Column("people", Integer, nullable=False),
    Column("begun_by", Uuid, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False),
)
RESULTS: Final = Table(
    "goal_assignment_results",
    _METADATA,
    Column("assignment", Uuid, primary_key=True),
    Column("person", Uuid, primary_key=True),
    Column("template", Uuid, primary_key=True),
    Column("outcome", Text, nullable=False, comment="set, refused, skipped; later withdrawn, kept"),
    Column("goal", Uuid),
    Column("rule", Text),
    Column("message", Text),
    Index("goal_assignment_results_by_goal", "assignment", "goal"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """An assignment as it stands; `people` is how many the population were when it began."""

    assignment: GoalAssignmentId
    version: int
    state: AssignmentState
    templates: tuple[GoalTemplateId, ...]
    starts_on: date
    ends_on: date
    parent: GoalId | None
    population: Population
    people: int
    begun_by: PersonId
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """What became of one person and one template, and of the goal if the act was undone."""

    person: PersonId
    template: GoalTemplateId
    outcome: AssignmentOutcome | WithdrawalOutcome
    goal: GoalId | None
    rule: str | None
    message: str | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """An assignment is one stream, hence rows that no other partition touches."""
    for recorded in events:
        match recorded.event:
            case GoalAssignmentBegun():
                await bulk.put(connection, ASSIGNMENTS, [_begun(recorded, recorded.event)])
            case GoalsAssigned():
                await _moved(connection, recorded)
                await bulk.put(connection, RESULTS, _results(recorded.stream_id, recorded.event))
            case GoalAssignmentFinished():
                await _moved(connection, recorded, AssignmentState.ASSIGNED)
            case GoalAssignmentUndone():
                await _moved(connection, recorded, AssignmentState.UNDONE)
            case AssignedGoalsWithdrawn():
                await _moved(connection, recorded)
                await _withdraw(connection, recorded.stream_id, recorded.event)
            case _:
                pass


def _begun(recorded: Recorded, event: GoalAssignmentBegun) -> dict[str, Any]:
    return {
        "assignment": recorded.stream_id,
        "version": recorded.version,
        "state": AssignmentState.ASSIGNING,
        "templates": [str(given.template) for given in event.templates],
        "starts_on": event.starts_on,
        "ends_on": event.ends_on,
        "parent": event.parent,
        "population": event.population.model_dump(mode="json"),
        "people": event.people,
        "begun_by": recorded.envelope.actor,
        "begun_at": recorded.envelope.time,
    }


async def _moved(connection: AsyncConnection, recorded: Recorded, state: AssignmentState | None = None) -> None:
    said = {} if state is None else {"state": state}
    moved = update(ASSIGNMENTS).where(ASSIGNMENTS.c.assignment == recorded.stream_id)
    await connection.execute(moved.values(version=recorded.version, **said))


def _results(assignment: UUID, event: GoalsAssigned) -> list[dict[str, Any]]:
    return [{**dict(result), "outcome": result.outcome.value, "assignment": assignment} for result in event.results]


async def _withdraw(connection: AsyncConnection, assignment: UUID, event: AssignedGoalsWithdrawn) -> None:
    rows = [
        {"of": result.goal, "said": result.outcome.value, "rule": result.rule, "message": result.message}
        for result in event.results
    ]
    changed = update(RESULTS).where(
        RESULTS.c.assignment == assignment,
        RESULTS.c.goal == bindparam("of"),
        RESULTS.c.outcome != AssignmentOutcome.SKIPPED.value,
    )
    said = {"outcome": bindparam("said"), "rule": bindparam("rule"), "message": bindparam("message")}
    if rows:
        await connection.execute(changed.values(said), rows)


async def find(connection: AsyncConnection, assignment: GoalAssignmentId) -> AssignmentRow | None:
    query = select(ASSIGNMENTS).where(ASSIGNMENTS.c.assignment == assignment)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def newest(
    connection: AsyncConnection,
    *,
    begun_by: PersonId | None,
    after: tuple[datetime, GoalAssignmentId] | None,
    limit: int,
) -> list[AssignmentRow]:
    """The assignments, the latest begun first; `begun_by` None: by whomever."""
    key = (ASSIGNMENTS.c.begun_at, ASSIGNMENTS.c.assignment)
    query = select(ASSIGNMENTS).order_by(*(column.desc() for column in key)).limit(limit)
    if begun_by is not None:
        query = query.where(ASSIGNMENTS.c.begun_by == begun_by)
    if after is not None:
        query = query.where(tuple_(*key) < tuple_(*after))
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def counts(
    connection: AsyncConnection, assignments: Sequence[GoalAssignmentId]
) -> Mapping[GoalAssignmentId, Mapping[str, int]]:
    """How many results of each kind an assignment has so far."""
    query = select(RESULTS.c.assignment, RESULTS.c.outcome, func.count()).group_by(
        RESULTS.c.assignment, RESULTS.c.outcome
    )
    found: dict[GoalAssignmentId, dict[str, int]] = {one: {} for one in assignments}
    for assignment, outcome, number in await connection.execute(query.where(RESULTS.c.assignment.in_(assignments))):
        found[GoalAssignmentId(assignment)][outcome] = number
    return found


async def results(
    connection: AsyncConnection,
    assignment: GoalAssignmentId,
    *,
    outcome: str | None,
    after: tuple[PersonId, GoalTemplateId] | None,
    limit: int,
) -> list[ResultRow]:
    """Each person's, in key order."""
    key = (RESULTS.c.person, RESULTS.c.template)
    query = select(*(c for c in RESULTS.columns if c.name != "assignment")).where(RESULTS.c.assignment == assignment)
    if outcome is not None:
        query = query.where(RESULTS.c.outcome == outcome)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    rows = (await connection.execute(query.order_by(*key).limit(limit))).mappings()
    return [_result(row) for row in rows]


def _result(columns: RowMapping) -> ResultRow:
    values: dict[str, Any] = {**columns, "outcome": _outcome(columns["outcome"])}
    return ResultRow(**values)


def _outcome(value: str) -> AssignmentOutcome | WithdrawalOutcome:
    withdrawal = WithdrawalOutcome(value)
    return withdrawal if withdrawal.known else AssignmentOutcome(value)


def _row(columns: RowMapping) -> AssignmentRow:
    values: dict[str, Any] = {
        **columns,
        "state": AssignmentState(columns["state"]),
        "templates": tuple(GoalTemplateId(UUID(template)) for template in columns["templates"]),
        "population": Population.model_validate(columns["population"]),
    }
    return AssignmentRow(**values)


PROJECTION: Final = Projection(
    name="goal_assignments", topics=(TOPIC,), tables=(ASSIGNMENTS, RESULTS), apply=apply, events=EVENTS
)
