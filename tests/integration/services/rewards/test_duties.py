"""Separation of duties, asked of the read model on a real PostgreSQL: events in, rows out."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.projections.duties import PROJECTION, Duty, Meeting, where_duties_met
from shared.schemas.event import Event
from shared.schemas.identifiers import SYSTEM, PersonId
from tests.integration.services.feedback.published import out_of_phase
from tests.integration.services.rewards.published import approval, person_of, proposal, reward, reward_id
from tests.unit.services.rewards.examples import HR, MANAGER, adjusted


def approved_by(number: int, who: PersonId) -> Event:
    event = approval(number)
    return event.model_copy(update={"approval": event.approval.model_copy(update={"who": who})})


@pytest.mark.parametrize("seed", range(3))
async def test_three_people_in_three_duties_leave_the_query_empty(connection: AsyncConnection, seed: int) -> None:
    streams = [reward(number, proposal(number), adjusted, approval(number)) for number in range(4)]
    for events in out_of_phase(streams, seed):
        await PROJECTION.apply(connection, events)
    assert await where_duties_met(connection) == []


async def test_an_approval_by_the_nominator_is_found(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, reward(1, proposal(1), approved_by(1, MANAGER)))
    assert await where_duties_met(connection) == [Meeting(reward_id(1), MANAGER, (Duty.APPROVER, Duty.PROPOSER))]


async def test_an_approval_by_who_adjusted_is_found(connection: AsyncConnection) -> None:
    by_hr = adjusted.model_copy(update={"adjusted_by": HR})
    await PROJECTION.apply(connection, reward(1, proposal(1), by_hr, approval(1)))
    assert await where_duties_met(connection) == [Meeting(reward_id(1), HR, (Duty.APPROVER, Duty.PROPOSER))]


async def test_an_approval_by_the_beneficiary_is_found(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, reward(1, proposal(1), approved_by(1, person_of(1))))
    assert await where_duties_met(connection) == [
        Meeting(reward_id(1), person_of(1), (Duty.APPROVER, Duty.BENEFICIARY))
    ]


async def test_the_system_is_nobody(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, reward(1, proposal(1), approved_by(1, SYSTEM)))
    assert await where_duties_met(connection) == []


async def test_what_was_not_approved_is_no_payment(connection: AsyncConnection) -> None:
    nominated = proposal(1).model_copy(update={"nominated_by": person_of(1)})
    await PROJECTION.apply(connection, reward(1, nominated))
    assert await where_duties_met(connection) == []
