"""Goal plans: which goals count in a period, how much, whether it is agreed, and what waits for the other side."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Index,
    Integer,
    MetaData,
    RowMapping,
    Table,
    Text,
    Uuid,
    cast,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_plans import (
    EVENTS,
    GoalAmendmentProposed,
    GoalAmendmentReturned,
    GoalPlanAgreed,
    GoalPlanAmended,
    GoalPlanDrafted,
    GoalPlanProposed,
    GoalPlanReturned,
    PlannedGoalLost,
    PlanWeight,
)
from shared.schemas.goals import TOPIC
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId


class PlanState(StrEnum):
    """Where a plan is in its life."""

    DRAFTED = "drafted"
    PROPOSED = "proposed"
    RETURNED = "returned"
    AGREED = "agreed"


PLANS: Final = Table(
    "goal_plans",
    MetaData(),
    Column("plan", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Uuid, nullable=False),
    Column("level", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("weights", JSONB, nullable=False, comment="as in the event"),
    Column("proposed_by", Uuid),
    Column("agreed_by", Uuid),
    Column("amendment", Uuid, comment="the one that waits for the other side"),
    Column("amendment_by", Uuid),
    Column("lost", ARRAY(Uuid), nullable=False, comment="goals that count no more, since their owner has left"),
    Index("goal_plans_by_owner", "owner", "starts_on", "plan"),
)
_Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as it stands; weights in percent. `amendment` is the one that waits, `amendment_by` who proposed it."""

    plan: GoalPlanId
    version: int
    state: PlanState
    owner: PersonId
    level: GoalLevel = GoalLevel.PERSON
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    proposed_by: PersonId | None
    agreed_by: PersonId | None
    amendment: UUID | None = None
    amendment_by: PersonId | None = None
    lost: Sequence[GoalId] = ()

    @property
    def total(self) -> Decimal:
        return sum((weight.weight for weight in self.weights), Decimal(0))


_NOTHING_YET: Final[_Row] = {"amendment": None, "amendment_by": None, "lost": []}


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A plan is one stream, hence one row that no other partition touches; its events are written in their order."""
    of_plans = [record for record in events if _touches(record.event)]
    if not of_plans:
        return
    rows = await _rows(connection, {record.stream_id for record in of_plans})
    for record in of_plans:
        before = rows.get(record.stream_id, {"plan": record.stream_id, **_NOTHING_YET})
        changed = {**_change(record.event), **_lost(before, record.event)}
        rows[record.stream_id] = {**before, "version": record.version, **changed}
    whole = [row for row in rows.values() if "state" in row]
    if whole:
        statement = insert(PLANS)
        new = {c.name: statement.excluded[c.name] for c in PLANS.columns if c.name != "plan"}
        await connection.execute(statement.on_conflict_do_update(index_elements=[PLANS.c.plan], set_=new), whole)


def _touches(event: Event) -> bool:
    return bool(_change(event)) or isinstance(event, PlannedGoalLost)


def _change(event: Event) -> _Row:
    """What the event changes in its plan's row; nothing where it is none of a plan's."""
    match event:
        case GoalPlanDrafted():
            return {**_terms(event), "state": PlanState.DRAFTED, "proposed_by": None, "agreed_by": None}
        case GoalPlanProposed():
            return {**_terms(event), "state": PlanState.PROPOSED, "proposed_by": event.proposed_by, "agreed_by": None}
        case GoalPlanReturned():
            return {"state": PlanState.RETURNED}
        case GoalPlanAgreed():
            return {**_terms(event), "state": PlanState.AGREED, "agreed_by": event.agreed_by}
        case GoalAmendmentProposed():
            return {"amendment": event.amendment, "amendment_by": event.proposed_by}
        case GoalAmendmentReturned():
            return {"amendment": None, "amendment_by": None}
        case GoalPlanAmended():
            return {"weights": _weights(event.weights), "amendment": None, "amendment_by": None, "lost": []}
        case _:
            return {}


def _lost(row: _Row, event: Event) -> _Row:
    return {"lost": [*row["lost"], event.goal]} if isinstance(event, PlannedGoalLost) else {}


def _terms(event: GoalPlanDrafted | GoalPlanProposed | GoalPlanAgreed) -> _Row:
    return {
        "owner": event.owner,
        "level": event.level.value,
        "starts_on": event.starts_on,
        "ends_on": event.ends_on,
        "weights": _weights(event.weights),
    }


def _weights(weights: Sequence[PlanWeight]) -> list[_Row]:
    return [weight.model_dump(mode="json") for weight in weights]


async def _rows(connection: AsyncConnection, plans: set[UUID]) -> dict[UUID, _Row]:
    found = await connection.execute(select(PLANS).where(PLANS.c.plan.in_(plans)))
    return {row["plan"]: dict(row) for row in found.mappings()}


async def find(connection: AsyncConnection, plan: GoalPlanId) -> PlanRow | None:
    row = (await connection.execute(select(PLANS).where(PLANS.c.plan == plan))).mappings().one_or_none()
    return None if row is None else _row(row)


async def of_owner(
    connection: AsyncConnection, owner: PersonId, *, after: tuple[date, GoalPlanId] | None, limit: int
) -> list[PlanRow]:
    """The person's plans, the earliest period first."""
    key = (PLANS.c.starts_on, PLANS.c.plan)
    query = select(PLANS).where(PLANS.c.owner == owner).order_by(*key).limit(limit)
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*after))
    return [_row(row) for row in (await connection.execute(query)).mappings()]


async def naming(
    connection: AsyncConnection, goals: Collection[GoalId], owners: Collection[PersonId]
) -> dict[GoalId, GoalPlanId]:
    """Of these goals those that some plan of their owners names, in whatever state it is, with one such plan each."""
    weights = func.jsonb_array_elements(PLANS.c.weights).table_valued("value").lateral()
    goal: ColumnElement[UUID] = cast(weights.c.value.op("->>")("goal"), Uuid)
    query = select(goal, PLANS.c.plan).select_from(PLANS).join(weights, true()).where(PLANS.c.owner.in_(owners))
    found = await connection.execute(query.where(goal.in_(goals)).order_by(PLANS.c.plan))
    return {GoalId(named): GoalPlanId(plan) for named, plan in found}


def _row(columns: RowMapping) -> PlanRow:
    values: dict[str, Any] = {
        **columns,
        "state": PlanState(columns["state"]),
        "level": GoalLevel(columns["level"]),
        "weights": tuple(PlanWeight.model_validate(weight) for weight in columns["weights"]),
    }
    return PlanRow(**values)


PROJECTION: Final = Projection(
    name="goal_plans", version=3, topics=(TOPIC,), tables=(PLANS,), apply=apply, events=EVENTS
)
