"""What waits for whom, on a real PostgreSQL: events in, steps out."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.review_inbox import PROJECTION, waiting_for
from services.reviews.projections.review_state import STATES
from shared.schemas.identifiers import PersonId
from shared.schemas.reviews import ReviewCycleClosed
from tests.integration.services.reviews.published import history, out_of_phase
from tests.integration.services.reviews.steps import review, review_id
from tests.unit.services.reviews.form import ANN, CYCLE, HR, MANAGER

SECOND_HR = PersonId(UUID(int=0xCC))
STEPS = {
    "opened": {(ANN, "self-assessment"), (MANAGER, "manager-assessment")},
    "self-assessed": {(MANAGER, "manager-assessment")},
    "manager-assessed": {(HR, "approval"), (SECOND_HR, "approval")},
    "approved": {(HR, "release"), (SECOND_HR, "release")},
    "released": {(ANN, "acknowledgement")},
    "acknowledged": {(HR, "completion"), (SECOND_HR, "completion")},
    "completed": set[tuple[PersonId, str]](),
}


async def all_steps(connection: AsyncConnection) -> set[tuple[PersonId, str]]:
    waiting: set[tuple[PersonId, str]] = set()
    for person in (ANN, MANAGER, HR, SECOND_HR):
        items = await waiting_for(connection, person, for_hr=person in (HR, SECOND_HR), limit=100)
        waiting |= {(person, item.step) for item in items}
    return waiting


@pytest.mark.parametrize("state", STATES)
async def test_each_state_waits_for_those_who_can_take_the_next_step(connection: AsyncConnection, state: str) -> None:
    await PROJECTION.apply(connection, review(1, until=state))
    assert await all_steps(connection) == STEPS[state]


async def test_without_a_manager_of_record_hr_assesses_and_another_one_of_hr_approves(
    connection: AsyncConnection,
) -> None:
    stream = review(1, until="manager-assessed", manager=None)
    await PROJECTION.apply(connection, stream[:1])
    assert await all_steps(connection) == {
        (ANN, "self-assessment"),
        (HR, "manager-assessment"),
        (SECOND_HR, "manager-assessment"),
    }
    await PROJECTION.apply(connection, stream[1:])
    assert await all_steps(connection) == {(SECOND_HR, "approval")}


async def test_hr_is_not_shown_the_steps_of_their_own_review(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, review(1, until="approved", person=HR))
    assert await all_steps(connection) == {(SECOND_HR, "release")}


async def test_in_a_closed_cycle_nothing_waits_whichever_event_comes_first(connection: AsyncConnection) -> None:
    closed = history("reviewcycle", CYCLE, ReviewCycleClosed(reason="done"))
    await PROJECTION.apply(connection, review(1))
    await PROJECTION.apply(connection, closed)
    await PROJECTION.apply(connection, review(2, until="approved"))
    assert await all_steps(connection) == set()


async def test_the_longest_waiting_comes_first_and_pages_leave_no_gap(connection: AsyncConnection) -> None:
    for number in range(1, 8):
        await PROJECTION.apply(connection, review(number, until="approved", day=-number // 2))
    seen: list[UUID] = []
    after = None
    while page := await waiting_for(connection, HR, for_hr=True, after=after, limit=3):
        seen += [item.review for item in page]
        after = (page[-1].since, page[-1].review, page[-1].step)
    assert seen == [review_id(n) for n in (7, 5, 6, 3, 4, 1, 2)]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_same_waits(connection: AsyncConnection, seed: int) -> None:
    streams = [review(n, until=state) for n, state in enumerate(STATES)]
    for events in out_of_phase(streams, seed):
        await PROJECTION.apply(connection, events)
    assert await all_steps(connection) == set[tuple[PersonId, str]]().union(*STEPS.values())
