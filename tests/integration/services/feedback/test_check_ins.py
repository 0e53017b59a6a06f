"""Who reads which check-in and its notes, asked of the read model on a real PostgreSQL: events in, rows out."""

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feedback.domain.check_in import CHECK_IN
from services.feedback.projections import check_ins
from services.feedback.projections.check_ins import CHECK_INS, PROJECTION, ReadableCheckIn
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import CheckInHeld
from shared.schemas.identifiers import CheckInId, PersonId
from tests.integration.services.feedback.published import out_of_phase, recorded, sealed
from tests.servers.databases import Database
from tests.unit.services.feedback.people import ALICE, BOB, GOAL, MANAGER

NOTES = sealed(BOB)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(CHECK_INS.metadata.create_all)
        yield connection
    await engine.dispose()


def check_in_id(number: int) -> CheckInId:
    return CheckInId(UUID(int=number))


def held(number: int, *, day: int, shared: bool, has_notes: bool = True) -> list[Recorded]:
    event = CheckInHeld(
        person=BOB,
        manager=MANAGER,
        held_on=date(2026, 3, day),
        notes=NOTES if has_notes else None,
        shared=shared,
        goals=(GOAL,),
    )
    return [recorded(event, stream=check_in_id(number), category=CHECK_IN.category)]


async def read(connection: AsyncConnection, reader: PersonId) -> list[ReadableCheckIn]:
    return await check_ins.of_reader(connection, reader, after=None, limit=100)


async def test_both_see_the_check_in_and_private_notes_stay_with_the_manager(connection: AsyncConnection) -> None:
    for events in (held(1, day=9, shared=True), held(2, day=2, shared=False), held(3, day=16, shared=True)):
        await PROJECTION.apply(connection, events)
    by_manager, by_person = await read(connection, MANAGER), await read(connection, BOB)
    assert [c.check_in for c in by_manager] == [c.check_in for c in by_person] == [UUID(int=n) for n in (3, 1, 2)]
    assert [c.notes for c in by_manager] == [NOTES, NOTES, NOTES]
    assert [c.notes for c in by_person] == [NOTES, NOTES, None]


async def test_nobody_else_sees_it(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, held(1, day=9, shared=True))
    assert await read(connection, ALICE) == []
    assert await check_ins.find(connection, check_in_id(1), reader=ALICE) is None


async def test_one_check_in_is_shown_as_its_reader_may_see_it(connection: AsyncConnection) -> None:
    await PROJECTION.apply(connection, held(1, day=9, shared=False))
    seen = ReadableCheckIn(
        check_in=check_in_id(1),
        person=BOB,
        manager=MANAGER,
        held_on=date(2026, 3, 9),
        notes=None,
        shared=False,
        goals=(GOAL,),
    )
    assert await check_ins.find(connection, check_in_id(1), reader=BOB) == seen


async def test_pages_follow_each_other_without_gap_or_overlap(connection: AsyncConnection) -> None:
    for number in range(1, 8):
        await PROJECTION.apply(connection, held(number, day=number // 2 + 1, shared=True))
    seen: list[UUID] = []
    after = None
    while page := await check_ins.of_reader(connection, BOB, after=after, limit=3):
        seen += [check_in.check_in for check_in in page]
        after = (page[-1].held_on, page[-1].check_in)
    assert seen == [UUID(int=n) for n in range(7, 0, -1)]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_rows_are_the_same(connection: AsyncConnection, seed: int) -> None:
    streams = [held(n, day=n, shared=n % 2 == 0, has_notes=n % 3 == 0) for n in range(1, 7)]
    for events in out_of_phase(streams, seed):
        await PROJECTION.apply(connection, events)
    seen = await read(connection, MANAGER)
    assert [(c.held_on.day, c.shared, c.notes is not None) for c in seen] == [
        (n, n % 2 == 0, n % 3 == 0) for n in range(6, 0, -1)
    ]
