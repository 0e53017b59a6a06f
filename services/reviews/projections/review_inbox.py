"""What waits for whom: the next step of each review, and who may take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    false,
    literal,
    null,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.review_state import STATE_AFTER
from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.reviews import (
    TOPIC,
    ManagerAssessmentSubmitted,
    ReviewCycleClosed,
    ReviewOpened,
    ReviewStepDue,
    StepDeadlines,
)

_METADATA: Final = MetaData()
_NOT_COMPLETED: Final = text("state <> 'completed'")
WAITING: Final = Table(
    "review_inbox",
    _METADATA,
    Column("review", Uuid, primary_key=True),
    Column("cycle", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("manager", Uuid),
    Column("assessor", Uuid),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("self_assessment_due_on", Date),
    Column("manager_assessment_due_on", Date),
    Column("self_assessment_reminded_at", DateTime(timezone=True)),
    Column("manager_assessment_reminded_at", DateTime(timezone=True)),
    Index("review_inbox_by_person", "person", postgresql_where=_NOT_COMPLETED),
    Index("review_inbox_by_manager", "manager", postgresql_where=_NOT_COMPLETED),
    Index("review_inbox_by_state", "state", "since", postgresql_where=_NOT_COMPLETED),
)
CLOSED: Final = Table("review_inbox_closed_cycles", _METADATA, Column("cycle", Uuid, primary_key=True))
"""In a closed cycle nothing waits. A row of its own: cycle and review come from different partitions."""

_DEADLINES: Final[Mapping[str, tuple[ColumnElement[Any], ColumnElement[Any]]]] = {
    "self-assessment": (WAITING.c.self_assessment_due_on, WAITING.c.self_assessment_reminded_at),
    "manager-assessment": (WAITING.c.manager_assessment_due_on, WAITING.c.manager_assessment_reminded_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A step that a review waits for; `reminded_at` is set once its last day, `due_on`, has begun."""

    step: str
    review: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    since: datetime
    due_on: date | None
    reminded_at: datetime | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    await change_rows(connection, WAITING, events, _change)
    closed = sorted({recorded.stream_id for recorded in events if isinstance(recorded.event, ReviewCycleClosed)})
    if closed:
        await connection.execute(insert(CLOSED).on_conflict_do_nothing(), [{"cycle": cycle} for cycle in closed])


def _change(recorded: Recorded) -> Row:
    event, at = recorded.event, recorded.envelope.time
    if isinstance(event, ReviewStepDue):
        return {f"{event.step.value.replace('-', '_')}_reminded_at": at} if event.step.known else {}
    if type(event) not in STATE_AFTER:
        return {}
    step: Row = {"state": STATE_AFTER[type(event)], "since": at}
    match event:
        case ReviewOpened():
            whose = {"cycle": event.cycle, "person": event.person, "manager": event.manager}
            return {**step, **whose, **_deadlines(event.policy.deadlines)}
        case ManagerAssessmentSubmitted():
            return {**step, "assessor": event.assessor}
        case _:
            return step


def _deadlines(deadlines: StepDeadlines | None) -> Row:
    if deadlines is None:
        return {}
    return {
        "self_assessment_due_on": deadlines.self_assessment,
        "manager_assessment_due_on": deadlines.manager_assessment,
    }


async def waiting_for(
    connection: AsyncConnection,
    person: PersonId,
    *,
    for_hr: bool,
    after: tuple[datetime, ReviewId, str] | None = None,
    limit: int,
) -> list[InboxItem]:
    """The steps that the person can take, the longest waiting first; `for_hr`: with those that HR takes."""
    steps = union_all(*(_steps(step, condition) for step, condition in _conditions(person, for_hr=for_hr))).subquery()
    order = (steps.c.since, steps.c.review, steps.c.step)
    query = select(steps).order_by(*order).limit(limit)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [InboxItem(**row) for row in (await connection.execute(query)).mappings()]


def _conditions(person: PersonId, *, for_hr: bool) -> list[tuple[str, ColumnElement[bool]]]:
    """Each step with who may take it: nobody serves themselves, and the assessor does not approve."""
    row = WAITING.c
    other = row.person != person
    hr = and_(other, true() if for_hr else false())
    unassessed = row.state.in_(["opened", "self-assessed"])
    return [
        ("self-assessment", and_(row.person == person, row.state == "opened")),
        ("manager-assessment", and_(row.manager == person, unassessed)),
        ("manager-assessment", and_(hr, row.manager.is_(None), unassessed)),
        ("approval", and_(hr, row.assessor != person, row.state == "manager-assessed")),
        ("release", and_(hr, row.state == "approved")),
        ("acknowledgement", and_(row.person == person, row.state == "released")),
        ("completion", and_(hr, row.state == "acknowledged")),
    ]


def _steps(step: str, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    row = WAITING.c
    due_on, reminded_at = _DEADLINES.get(step, (null().cast(Date), null().cast(DateTime(timezone=True))))
    deadline = (due_on.label("due_on"), reminded_at.label("reminded_at"))
    return select(literal(step).label("step"), row.review, row.cycle, row.person, row.since, *deadline).where(
        condition, row.cycle.not_in(select(CLOSED.c.cycle))
    )


PROJECTION: Final = Projection(name="review_inbox", topics=(TOPIC,), tables=(WAITING, CLOSED), apply=apply)
