"""Who may read which feedback, asked of the read model on a real PostgreSQL: events in, rows out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feedback.domain.feedback import READABLE_BY_MANAGER, READABLE_BY_RECEIVER
from services.feedback.projections import readable_feedback
from services.feedback.projections.readable_feedback import PROJECTION, READABLE_FEEDBACK, ReadableFeedback, Reader
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import FeedbackId, PersonId
from tests.integration.services.feedback.published import moment, out_of_phase, recorded, sealed
from tests.servers.databases import Database
from tests.unit.services.feedback.people import ALICE, BOB, GOAL, MANAGER

RECEIVER, BOTH, NOTE = FeedbackVisibility
LATER = FeedbackVisibility("skip-level")
AS_RECEIVER = Reader(BOB, READABLE_BY_RECEIVER)
AS_MANAGER = Reader(MANAGER, READABLE_BY_MANAGER)
AS_AUTHOR = Reader(ALICE, frozenset())
AS_SOMEBODY = Reader(PersonId(UUID(int=0xF)), frozenset())


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[AsyncConnection]:
    engine = create_engine(database.url)
    async with engine.begin() as connection:
        await connection.run_sync(READABLE_FEEDBACK.metadata.create_all)
        yield connection
    await engine.dispose()


def feedback_id(number: int) -> FeedbackId:
    return FeedbackId(UUID(int=number))


def stream(number: int, visibility: FeedbackVisibility = RECEIVER, *, acknowledged: bool = False) -> list[Recorded]:
    given = FeedbackGiven(
        author=ALICE, receiver=BOB, kind=FeedbackKind.PRAISE, visibility=visibility, goal=GOAL, text=sealed(BOB)
    )
    events = [given, FeedbackAcknowledged(by=BOB)] if acknowledged else [given]
    return [recorded(event, stream=feedback_id(number), version=n) for n, event in enumerate(events, start=1)]


def row(number: int, visibility: FeedbackVisibility = RECEIVER, *, acknowledged: bool = False) -> ReadableFeedback:
    return ReadableFeedback(
        feedback=feedback_id(number),
        author=ALICE,
        receiver=BOB,
        kind=FeedbackKind.PRAISE,
        visibility=visibility,
        goal=GOAL,
        text=sealed(BOB),
        given_at=moment(1),
        acknowledged_at=moment(2) if acknowledged else None,
    )


async def received(connection: AsyncConnection, reader: Reader) -> list[ReadableFeedback]:
    return await readable_feedback.received_by(connection, BOB, reader=reader, after=None, limit=100)


async def apply(connection: AsyncConnection, *slices: Sequence[Recorded]) -> None:
    for events in slices:
        await PROJECTION.apply(connection, events)


ONE_OF_EACH = [stream(n, visibility) for n, visibility in enumerate([RECEIVER, BOTH, NOTE, LATER], start=1)]


@pytest.mark.parametrize(
    ("reader", "visible"),
    [
        (AS_RECEIVER, [BOTH, RECEIVER]),
        (AS_MANAGER, [NOTE, BOTH]),
        (AS_AUTHOR, [LATER, NOTE, BOTH, RECEIVER]),
        (AS_SOMEBODY, []),
    ],
)
async def test_each_reads_what_the_visibility_opens_to_them(
    connection: AsyncConnection, reader: Reader, visible: list[FeedbackVisibility]
) -> None:
    await apply(connection, *ONE_OF_EACH)
    assert [feedback.visibility for feedback in await received(connection, reader)] == visible
    found = [await readable_feedback.find(connection, feedback_id(n), reader=reader) for n in (4, 3, 2, 1)]
    assert [feedback.visibility for feedback in found if feedback is not None] == visible


async def test_a_private_note_is_never_its_subjects_to_read(connection: AsyncConnection) -> None:
    await apply(connection, stream(1, NOTE))
    assert await received(connection, AS_RECEIVER) == []
    assert await readable_feedback.find(connection, feedback_id(1), reader=AS_RECEIVER) is None


async def test_authors_read_what_they_gave(connection: AsyncConnection) -> None:
    await apply(connection, *ONE_OF_EACH)
    assert len(await readable_feedback.given_by(connection, ALICE, after=None, limit=100)) == 4
    assert await readable_feedback.given_by(connection, BOB, after=None, limit=100) == []


async def test_an_acknowledgement_shows_when(connection: AsyncConnection) -> None:
    await apply(connection, stream(1, acknowledged=True), stream(2))
    assert await received(connection, AS_RECEIVER) == [row(2), row(1, acknowledged=True)]


async def test_pages_follow_each_other_newest_first_without_gap_or_overlap(connection: AsyncConnection) -> None:
    await apply(connection, *(stream(n) for n in range(1, 8)))
    seen: list[ReadableFeedback] = []
    after = None
    while page := await readable_feedback.received_by(connection, BOB, reader=AS_RECEIVER, after=after, limit=3):
        seen += page
        after = (page[-1].given_at, page[-1].feedback)
    assert [feedback.feedback for feedback in seen] == [feedback_id(n) for n in range(7, 0, -1)]


async def test_the_receiver_of_unknown_feedback_is_nobody(connection: AsyncConnection) -> None:
    await apply(connection, stream(1))
    assert await readable_feedback.receiver_of(connection, feedback_id(1)) == BOB
    assert await readable_feedback.receiver_of(connection, feedback_id(2)) is None


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_rows_are_the_same(connection: AsyncConnection, seed: int) -> None:
    acknowledged = [n % 2 == 0 for n in range(1, 7)]
    streams = [stream(n, acknowledged=done) for n, done in enumerate(acknowledged, start=1)]
    await apply(connection, *out_of_phase(streams, seed))
    expected = [row(n, acknowledged=done) for n, done in enumerate(acknowledged, start=1)]
    assert await received(connection, AS_RECEIVER) == expected[::-1]


async def test_a_kind_that_this_version_does_not_know_is_shown_as_it_came(connection: AsyncConnection) -> None:
    given, later = stream(1)[0], FeedbackKind("shout-out")
    assert isinstance(given.event, FeedbackGiven)
    await apply(connection, [replace(given, event=given.event.model_copy(update={"kind": later}))])
    assert [feedback.kind for feedback in await received(connection, AS_RECEIVER)] == [later]
