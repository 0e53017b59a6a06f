"""Which feedback lies before an assessor, gathered from what was published, on a real PostgreSQL."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.evidence import PROJECTION, feedback_for
from shared.eventsourcing.recorded import Recorded
from shared.schemas.feedback import FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import FeedbackId, PersonId
from shared.schemas.personal_text import PersonalText
from tests.integration.services.reviews.published import history, out_of_phase
from tests.unit.services.reviews.form import ANN, MANAGER

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
TEXT = PersonalText(person=ANN, key="key-1", ciphertext="c2VhbGVk", bound_to="event/text")


def feedback(number: int, visibility: FeedbackVisibility, *, to: PersonId = ANN, day: int = 0) -> list[Recorded]:
    given = FeedbackGiven(
        author=MANAGER, receiver=to, kind=FeedbackKind.PRAISE, visibility=visibility, goal=None, text=TEXT
    )
    return history("feedback", UUID(int=number), given, FeedbackAcknowledged(by=to), day=day)


async def evidence_of(connection: AsyncConnection, *streams: list[Recorded]) -> tuple[FeedbackId, ...]:
    for stream in streams:
        await PROJECTION.apply(connection, stream)
    return await feedback_for(connection, ANN, starts_on=YEAR[0], ends_on=YEAR[1])


async def test_feedback_that_the_receiver_may_not_see_is_no_evidence(connection: AsyncConnection) -> None:
    seen, both, private = FeedbackVisibility
    later = FeedbackVisibility("skip-level")
    streams = [feedback(n, kind) for n, kind in enumerate((seen, both, private, later), start=1)]
    assert await evidence_of(connection, *streams) == (FeedbackId(UUID(int=1)), FeedbackId(UUID(int=2)))


async def test_feedback_counts_in_the_period_in_which_it_was_given(connection: AsyncConnection) -> None:
    days = {1: -365, 2: -364, 3: 0, 4: 1}
    streams = [feedback(n, FeedbackVisibility.RECEIVER, day=day) for n, day in days.items()]
    to_another = feedback(5, FeedbackVisibility.RECEIVER, to=MANAGER)
    evidence = await evidence_of(connection, *streams, to_another)
    assert [identity.int for identity in evidence] == [2, 3]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_evidence_is_the_same(
    connection: AsyncConnection, seed: int
) -> None:
    given = [feedback(n, FeedbackVisibility.RECEIVER) for n in range(14, 10, -1)]
    evidence = await evidence_of(connection, *out_of_phase(given, seed))
    assert evidence == tuple(FeedbackId(UUID(int=n)) for n in range(11, 15))
