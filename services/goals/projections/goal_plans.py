"""Goal plans: which goals count for a person in a period, how much, and whether it is agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Date, Index, Integer, MetaData, RowMapping, Table, Text, Uuid, func, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goals import TOPIC, GoalPlanAgreed, GoalPlanProposed, PlanWeight
from shared.schemas.identifiers import GoalPlanId, PersonId


class PlanState(StrEnum):
    """Where a plan is in its life."""

    PROPOSED = "proposed"
    AGREED = "agreed"


PLANS: Final = Table(
    "goal_plans",
    MetaData(),
    Column("plan", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("weights", JSONB, nullable=False, comment="as in the event"),
    Column("proposed_by", Uuid),
    Column("agreed_by", Uuid),
    Index("goal_plans_by_owner", "owner", "starts_on", "plan"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as it stands; weights in percent."""

    plan: GoalPlanId
    version: int
    state: PlanState
    owner: PersonId
    starts_on: date
    ends_on: date
    weights: tuple[PlanWeight, ...]
    proposed_by: PersonId
    agreed_by: PersonId | None

    @property
    def total(self) -> Decimal:
        return sum((weight.weight for weight in self.weights), Decimal(0))


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A plan is one stream, hence one row that no other partition touches; its events are written in their order."""
    changes = [columns for record in events if (columns := _columns(record)) is not None]
    if not changes:
        return
    statement = insert(PLANS)
    new: dict[str, Any] = {c.name: statement.excluded[c.name] for c in PLANS.columns if c.name != "plan"}
    new["proposed_by"] = func.coalesce(statement.excluded.proposed_by, PLANS.c.proposed_by)
    await connection.execute(statement.on_conflict_do_update(index_elements=[PLANS.c.plan], set_=new), changes)


def _columns(record: Recorded) -> dict[str, Any] | None:
    """The row after the event; an agreement leaves the proposer as the proposal wrote them."""
    event = record.event
    match event:
        case GoalPlanProposed():
            parties = {"state": PlanState.PROPOSED, "proposed_by": event.proposed_by, "agreed_by": None}
        case GoalPlanAgreed():
            parties = {"state": PlanState.AGREED, "proposed_by": None, "agreed_by": event.agreed_by}
        case _:
            return None
    weights = [weight.model_dump(mode="json") for weight in event.weights]
    period = {"starts_on": event.starts_on, "ends_on": event.ends_on}
    identity = {"plan": record.stream_id, "version": record.version, "owner": event.owner}
    return {**identity, **period, **parties, "weights": weights}


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


def _row(columns: RowMapping) -> PlanRow:
    values: dict[str, Any] = {
        **columns,
        "state": PlanState(columns["state"]),
        "weights": tuple(PlanWeight.model_validate(weight) for weight in columns["weights"]),
    }
    return PlanRow(**values)


PROJECTION: Final = Projection(name="goal_plans", topics=(TOPIC,), tables=(PLANS,), apply=apply)
