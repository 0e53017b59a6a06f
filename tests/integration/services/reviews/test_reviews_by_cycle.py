"""How far a cycle's reviews are and how they are rated, on a real PostgreSQL: events in, rows out."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections import cycles, reviews_by_cycle
from services.reviews.projections.cycles import Cycle
from services.reviews.projections.review_state import STATES
from services.reviews.projections.reviews_by_cycle import ReviewRow
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.reviews import ReviewCycleClosed, ReviewCycleOpened
from tests.integration.services.reviews.published import history, out_of_phase
from tests.integration.services.reviews.steps import review, review_id
from tests.unit.services.reviews.form import ANN, CYCLE, HR, MANAGER, NOW, POLICY

cycle_opened = ReviewCycleOpened(
    name="Annual review 2026",
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 12, 31),
    policy=POLICY,
    population=3,
)
cycle_closed = ReviewCycleClosed(reason="all reviews completed")


def cycle_id(number: int) -> ReviewCycleId:
    return ReviewCycleId(UUID(int=number))


async def test_a_cycle_is_found_open_and_then_closed(connection: AsyncConnection) -> None:
    stream = history("reviewcycle", CYCLE, cycle_opened, cycle_closed)
    await cycles.PROJECTION.apply(connection, stream[:1])
    opened = Cycle(
        cycle=CYCLE,
        name="Annual review 2026",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        policy=POLICY,
        population=3,
        state="open",
        version=1,
        opened_at=NOW + timedelta(minutes=1),
        closed_at=None,
    )
    assert await cycles.find(connection, CYCLE) == opened
    await cycles.PROJECTION.apply(connection, stream[1:])
    closed = await cycles.find(connection, CYCLE)
    assert closed is not None
    assert (closed.state, closed.version, closed.closed_at) == ("closed", 2, NOW + timedelta(minutes=2))


async def test_cycles_are_listed_newest_first_without_gap_or_overlap(connection: AsyncConnection) -> None:
    for number in range(5):
        await cycles.PROJECTION.apply(
            connection, history("reviewcycle", cycle_id(number), cycle_opened, day=number // 2)
        )
    seen: list[int] = []
    last = None
    while page := await cycles.newest(connection, after=last, limit=2):
        seen += [cycle.cycle.int for cycle in page]
        last = (page[-1].opened_at, page[-1].cycle)
    assert seen == [4, 3, 2, 1, 0]


async def test_a_review_is_listed_with_its_state_and_rating(connection: AsyncConnection) -> None:
    await reviews_by_cycle.PROJECTION.apply(connection, review(1, until="approved", overall="4.40"))
    row = ReviewRow(
        review=review_id(1),
        cycle=CYCLE,
        person=ANN,
        manager=MANAGER,
        state="approved",
        rated=True,
        overall=Decimal("4.40"),
        level="exceeds",
        version=4,
        opened_at=NOW + timedelta(minutes=1),
        changed_at=NOW + timedelta(minutes=4),
    )
    assert await reviews_by_cycle.page(connection, cycle=CYCLE, limit=10) == [row]


async def test_reviews_are_counted_by_state(connection: AsyncConnection) -> None:
    for number, state in enumerate(("opened", "opened", "released", "completed")):
        await reviews_by_cycle.PROJECTION.apply(connection, review(number, until=state))
    counts = await reviews_by_cycle.by_state(connection, CYCLE)
    assert counts == dict.fromkeys(STATES, 0) | {"opened": 2, "released": 1, "completed": 1}
    assert list(counts) == list(STATES)


async def test_ratings_are_counted_by_score_and_by_level(connection: AsyncConnection) -> None:
    for number, overall in enumerate(("4.40", "3.20", "4.40", "2.00", None)):
        await reviews_by_cycle.PROJECTION.apply(connection, review(number, until="completed", overall=overall))
    await reviews_by_cycle.PROJECTION.apply(connection, review(9, until="self-assessed"))
    assert await reviews_by_cycle.by_rating(connection, CYCLE) == [
        (Decimal("2.00"), 1),
        (Decimal("3.20"), 1),
        (Decimal("4.40"), 2),
        (None, 1),
    ]
    assert await reviews_by_cycle.by_level(connection, CYCLE) == {"exceeds": 2, "meets": 1, None: 1}


async def test_a_list_holds_what_its_reader_may_see_and_asked_for(connection: AsyncConnection) -> None:
    other = ReviewCycleId(UUID(int=0xEE))
    somebody = PersonId(UUID(int=0xBB))
    for stream in (
        review(1, person=ANN),
        review(2, person=MANAGER, manager=HR),
        review(3, person=somebody, manager=HR),
        review(4, person=ANN, cycle=other),
    ):
        await reviews_by_cycle.PROJECTION.apply(connection, stream)

    async def listed(**wanted: UUID) -> list[int]:
        return [row.review.int for row in await reviews_by_cycle.page(connection, limit=10, **wanted)]  # type: ignore[arg-type]

    assert await listed() == [1, 2, 3, 4]
    assert await listed(cycle=CYCLE) == [1, 2, 3]
    assert await listed(person=ANN) == [1, 4]
    assert await listed(visible_to=MANAGER) == [1, 2, 4]
    assert await listed(after=review_id(2)) == [3, 4]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_rows_are_the_same(connection: AsyncConnection, seed: int) -> None:
    streams = [review(n, until=state, overall=f"{n % 4 + 1}.00") for n, state in enumerate(STATES)]
    for events in out_of_phase(streams, seed):
        await reviews_by_cycle.PROJECTION.apply(connection, events)
    rows = await reviews_by_cycle.page(connection, cycle=CYCLE, limit=10)
    assert [row.state for row in rows] == list(STATES)
    assert [row.overall for row in rows] == [None, None, *(Decimal(f"{n % 4 + 1}.00") for n in range(2, 7))]
    assert [row.version for row in rows] == list(range(1, 8))


def test_ids_in_these_tests_sort_as_numbers_do() -> None:
    assert sorted(ReviewId(UUID(int=n)) for n in (3, 1, 2)) == [review_id(n) for n in (1, 2, 3)]
