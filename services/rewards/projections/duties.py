"""Is there any payment where two duties met in one person?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, MetaData, Table, Text, Uuid, distinct, func, select
from sqlalchemy.dialects.postgresql import array_agg, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.identifiers import SYSTEM, PersonId, RewardId
from shared.schemas.rewards import TOPIC, RewardAdjusted, RewardApproved, RewardProposed
from shared.schemas.values import OpenEnum

DUTIES: Final = Table(
    "duties",
    MetaData(),
    Column("reward", Uuid, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("person", Uuid, primary_key=True),
)


class Duty(OpenEnum):
    """Three duties that three people do. Who adjusts a proposal is a proposer too."""

    PROPOSER = "proposer"
    APPROVER = "approver"
    BENEFICIARY = "beneficiary"


@dataclass(frozen=True, slots=True)
class Meeting:
    """One person with more than one duty in a reward that was approved for payment."""

    reward: RewardId
    person: PersonId
    duties: tuple[Duty, ...]


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """Rows are only ever added: any order, and again, gives the same."""
    rows = [row for record in events for row in _rows(record)]
    if rows:
        await connection.execute(insert(DUTIES).on_conflict_do_nothing(), rows)


def _rows(record: Recorded) -> list[dict[str, Any]]:
    return [
        {"reward": record.stream_id, "duty": duty.value, "person": person}
        for duty, person in _duties(record)
        if person is not None and person != SYSTEM
    ]


def _duties(record: Recorded) -> list[tuple[Duty, PersonId | None]]:
    match record.event:
        case RewardProposed() as event:
            proposers = [event.proposed_by, event.nominated_by]
            return [(Duty.BENEFICIARY, event.person), *((Duty.PROPOSER, person) for person in proposers)]
        case RewardAdjusted() as event:
            return [(Duty.PROPOSER, event.adjusted_by)]
        case RewardApproved() as event:
            return [(Duty.APPROVER, event.approval.who)]
        case _:
            return []


PROJECTION: Final = Projection(name="duties", topics=(TOPIC,), tables=(DUTIES,), apply=apply)


async def where_duties_met(connection: AsyncConnection) -> list[Meeting]:
    """Approved rewards in which one person had two duties: must be empty."""
    approved = select(DUTIES.c.reward).where(DUTIES.c.duty == Duty.APPROVER.value)
    query = (
        select(DUTIES.c.reward, DUTIES.c.person, array_agg(DUTIES.c.duty))
        .where(DUTIES.c.reward.in_(approved))
        .group_by(DUTIES.c.reward, DUTIES.c.person)
        .having(func.count(distinct(DUTIES.c.duty)) > 1)
        .order_by(DUTIES.c.reward, DUTIES.c.person)
    )
    rows = await connection.execute(query)
    return [Meeting(reward, person, tuple(sorted(map(Duty, duties)))) for reward, person, duties in rows]
