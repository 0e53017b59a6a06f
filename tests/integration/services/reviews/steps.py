"""A review's published history up to a state, for the tests of the read models."""

from decimal import Decimal
from uuid import UUID

from services.reviews.domain.evidence import evidence_hash
from services.reviews.domain.score import level_of
from services.reviews.projections.review_state import STATES
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import (
    ManagerAssessmentSubmitted,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewCompleted,
    ReviewOpened,
    ReviewReleased,
    Score,
    SelfAssessmentSubmitted,
)
from tests.integration.services.reviews.published import history
from tests.unit.services.reviews.form import ANN, CYCLE, EVIDENCE, HR, MANAGER, POLICY, rated

COMMENT = PersonalText(person=ANN, key="key-1", ciphertext="c2VhbGVk", bound_to="event/comment")


def review_id(number: int) -> ReviewId:
    return ReviewId(UUID(int=number))


def review(
    number: int,
    *,
    until: str = "opened",
    overall: str | None = "4.00",
    cycle: ReviewCycleId = CYCLE,
    person: PersonId = ANN,
    manager: PersonId | None = MANAGER,
    day: int = 0,
) -> list[Recorded]:
    """The review's stream up to the event that leaves it in the state `until`."""
    assessor = manager or HR
    score = score_of(overall)
    events: list[Event] = [
        ReviewOpened(cycle=cycle, person=person, manager=manager, policy=POLICY),
        SelfAssessmentSubmitted(ratings=(rated("goals", "5"),), comment=COMMENT),
        ManagerAssessmentSubmitted(
            assessor=assessor,
            ratings=(rated("goals", "4"), rated("competencies", None)),
            comment=COMMENT,
            evidence=EVIDENCE,
            evidence_hash=evidence_hash(EVIDENCE),
            score=score,
        ),
        ReviewApproved(approver=HR),
        ReviewReleased(releaser=HR),
        ReviewAcknowledged(comment=COMMENT),
        ReviewCompleted(
            cycle=cycle,
            person=person,
            manager=assessor,
            overall=score.overall,
            rated=score.rated,
            level=score.level,
            scale_minimum=POLICY.scale_minimum,
            scale_maximum=POLICY.scale_maximum,
            evidence_hash=evidence_hash(EVIDENCE),
            policy_version=POLICY.version,
        ),
    ]
    return history("review", review_id(number), *events[: STATES.index(until) + 1], day=day)


def score_of(overall: str | None) -> Score:
    """A score without its sections; None: not rated."""
    if overall is None:
        return Score(sections=(), coverage=Decimal(0), rated=False, overall=None, level=None)
    number = Decimal(overall)
    return Score(sections=(), coverage=Decimal(100), rated=True, overall=number, level=level_of(POLICY, number))
