"""What lies before an assessor, gathered from the published goals and feedback on a real PostgreSQL."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.domain.evidence import evidence_hash
from services.reviews.projections.evidence import PROJECTION, gather
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.feedback import FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalLevel,
    GoalProgressRecorded,
    GoalSet,
    ProgressSource,
)
from shared.schemas.identifiers import FeedbackId, GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import Evidence, GoalEvidence
from tests.integration.services.reviews.published import history, out_of_phase
from tests.unit.services.reviews.form import ANN, MANAGER, NOW

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
TEXT = PersonalText(person=ANN, key="key-1", ciphertext="c2VhbGVk", bound_to="event/text")


def goal_id(number: int) -> GoalId:
    return GoalId(UUID(int=number))


def goal_set(*, owner: PersonId = ANN, period: tuple[date, date] = YEAR) -> GoalSet:
    return GoalSet(
        level=GoalLevel.PERSON,
        owner=owner,
        team=None,
        title=TEXT,
        metric=None,
        starts_on=period[0],
        ends_on=period[1],
        parent=None,
    )


def measured(progress: str) -> GoalProgressRecorded:
    return GoalProgressRecorded(
        value=Decimal(progress),
        raw_progress=Decimal(progress),
        progress=Decimal(progress),
        regressed=False,
        measured_at=NOW,
        source=ProgressSource.MANUAL,
    )


def goal(number: int, *events: Event) -> list[Recorded]:
    return history("goal", goal_id(number), *events)


def feedback(number: int, visibility: FeedbackVisibility, *, to: PersonId = ANN, day: int = 0) -> list[Recorded]:
    given = FeedbackGiven(
        author=MANAGER, receiver=to, kind=FeedbackKind.PRAISE, visibility=visibility, goal=None, text=TEXT
    )
    return history("feedback", UUID(int=number), given, FeedbackAcknowledged(by=to), day=day)


async def evidence_of(connection: AsyncConnection, *streams: list[Recorded]) -> Evidence:
    for stream in streams:
        await PROJECTION.apply(connection, stream)
    return await gather(connection, ANN, starts_on=YEAR[0], ends_on=YEAR[1])


async def test_a_goal_counts_with_its_last_recorded_progress(connection: AsyncConnection) -> None:
    evidence = await evidence_of(connection, goal(1, goal_set(), measured("30.00"), measured("72.50")))
    assert evidence.goals == (GoalEvidence(goal=goal_id(1), progress=Decimal("72.50"), version=3, position=103),)


async def test_a_goal_that_was_never_measured_is_there_without_progress(connection: AsyncConnection) -> None:
    evidence = await evidence_of(connection, goal(1, goal_set()))
    assert evidence.goals == (GoalEvidence(goal=goal_id(1), progress=None, version=1, position=101),)


async def test_a_new_parent_changes_nothing_about_the_goals_own_progress(connection: AsyncConnection) -> None:
    aligned = GoalAligned(parent=goal_id(9), previous_parent=None)
    evidence = await evidence_of(connection, goal(1, goal_set(), measured("30"), aligned))
    assert evidence.goals == (GoalEvidence(goal=goal_id(1), progress=Decimal(30), version=2, position=102),)


async def test_an_achieved_goal_counts_with_its_final_progress(connection: AsyncConnection) -> None:
    final = GoalAchieved(value=Decimal(10), progress=Decimal(100), closed_on=YEAR[1])
    unmeasured = GoalAchieved(value=None, progress=None, closed_on=YEAR[1])
    evidence = await evidence_of(connection, goal(1, goal_set(), final), goal(2, goal_set(), unmeasured))
    assert [(line.progress, line.version) for line in evidence.goals] == [(Decimal(100), 2), (None, 2)]


async def test_cancelled_goals_and_those_of_others_are_left_out(connection: AsyncConnection) -> None:
    cancelled = goal(1, goal_set(), GoalCancelled(reason="obsolete"))
    assert (await evidence_of(connection, cancelled, goal(2, goal_set(owner=MANAGER)))).goals == ()


async def test_a_goal_counts_if_its_dates_touch_the_period(connection: AsyncConnection) -> None:
    before = goal(1, goal_set(period=(date(2025, 1, 1), date(2025, 12, 31))))
    into = goal(2, goal_set(period=(date(2025, 7, 1), date(2026, 1, 1))))
    after = goal(3, goal_set(period=(date(2027, 1, 1), date(2027, 12, 31))))
    assert [line.goal for line in (await evidence_of(connection, before, into, after)).goals] == [goal_id(2)]


async def test_feedback_that_the_receiver_may_not_see_is_no_evidence(connection: AsyncConnection) -> None:
    seen, both, private = FeedbackVisibility
    later = FeedbackVisibility("skip-level")
    streams = [feedback(n, kind) for n, kind in enumerate((seen, both, private, later), start=1)]
    assert (await evidence_of(connection, *streams)).feedback == (FeedbackId(UUID(int=1)), FeedbackId(UUID(int=2)))


async def test_feedback_counts_in_the_period_in_which_it_was_given(connection: AsyncConnection) -> None:
    days = {1: -365, 2: -364, 3: 0, 4: 1}
    streams = [feedback(n, FeedbackVisibility.RECEIVER, day=day) for n, day in days.items()]
    to_another = feedback(5, FeedbackVisibility.RECEIVER, to=MANAGER)
    evidence = await evidence_of(connection, *streams, to_another)
    assert [identity.int for identity in evidence.feedback] == [2, 3]


@pytest.mark.parametrize("seed", range(5))
async def test_delivered_twice_and_out_of_phase_the_evidence_is_the_same(
    connection: AsyncConnection, seed: int
) -> None:
    goals = [goal(n, goal_set(), measured("10"), measured(str(n))) for n in range(4, 0, -1)]
    given = [feedback(n, FeedbackVisibility.RECEIVER) for n in range(14, 10, -1)]
    evidence = await evidence_of(connection, *out_of_phase([*goals, *given], seed))
    lines = tuple(GoalEvidence(goal=goal_id(n), progress=Decimal(n), version=3, position=103) for n in range(1, 5))
    expected = Evidence(goals=lines, feedback=tuple(FeedbackId(UUID(int=n)) for n in range(11, 15)))
    assert evidence == expected
    assert evidence_hash(evidence) == evidence_hash(expected)
