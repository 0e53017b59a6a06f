"""The people, the policy, the filled-in forms and the random events that the reviews service's tests share."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from services.reviews.domain.rating import RatingBody
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import FeedbackId, GoalId, GoalPlanId, PersonId, ReviewCycleId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import (
    CyclePolicy,
    CycleSection,
    Evidence,
    EvidenceRequested,
    GoalEvidenceTaken,
    ItemRating,
    ManagerAssessmentSubmitted,
    RatingLevel,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewCompleted,
    ReviewCycleClosed,
    ReviewCycleOpened,
    ReviewOpened,
    ReviewReleased,
    ReviewStep,
    ReviewStepDue,
    Score,
    SectionScore,
    SelfAssessmentSubmitted,
    StepDeadlines,
)

ANN = PersonId(UUID(int=0xA))
MANAGER = PersonId(UUID(int=0xB))
HR = PersonId(UUID(int=0xC))
CYCLE = ReviewCycleId(UUID(int=0xD))
NOW = datetime(2026, 12, 31, 9, 0, tzinfo=UTC)

POLICY = CyclePolicy(
    version="enterprise-1",
    scale_minimum=Decimal(1),
    scale_maximum=Decimal(5),
    sections=(CycleSection(name="goals", weight=Decimal(60)), CycleSection(name="competencies", weight=Decimal(40))),
    levels=(RatingLevel(name="meets", minimum=Decimal(3)), RatingLevel(name="exceeds", minimum=Decimal(4))),
)
EVIDENCE = Evidence(
    goals=(GoalEvidence(goal=GoalId(UUID(int=0xE)), progress=Decimal("72.50"), version=4, position=91),),
    feedback=(FeedbackId(UUID(int=0xF)),),
    goals_hash="a" * 64,
)


def rated(section: str, rating: str | None, *, item: str = "delivery", weight: str = "1") -> ItemRating:
    """A line of the form as an event carries it."""
    number = None if rating is None else Decimal(rating)
    return ItemRating(section=section, item=item, weight=Decimal(weight), rating=number)


def line(section: str, rating: str | None, *, item: str = "delivery", weight: str = "1") -> RatingBody:
    """The same line as a client writes it."""
    return RatingBody.model_validate(rated(section, rating, item=item, weight=weight).model_dump())


people = st.sampled_from([ANN, MANAGER, HR])
cycles = st.sampled_from([CYCLE, ReviewCycleId(UUID(int=0xDD))])
codes = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
names = words.map(str.strip).filter(lambda text: 0 < len(text) <= 200)
days = st.dates(date(2020, 1, 1), date(2040, 1, 1))
numbers = st.decimals(-1000, 1000, places=4)
percentages = st.decimals(0, 100, places=2)
weights = st.decimals(0, 1000, places=4)
counts = st.integers(0, 10**9)
sealed_texts = st.builds(PersonalText, person=people, key=words, ciphertext=words, bound_to=words)
comments = st.none() | sealed_texts

item_ratings = st.builds(
    ItemRating,
    section=st.sampled_from(["goals", "competencies"]) | codes,
    item=codes,
    weight=weights,
    rating=st.none() | numbers,
)
policies = st.builds(
    CyclePolicy,
    version=codes,
    scale_minimum=numbers,
    scale_maximum=numbers,
    sections=st.lists(st.builds(CycleSection, name=codes, weight=percentages), max_size=3).map(tuple),
    minimum_coverage=percentages,
    self_weight=st.decimals(0, 1, places=2),
    levels=st.lists(st.builds(RatingLevel, name=codes, minimum=numbers), max_size=3).map(tuple),
    deadlines=st.none()
    | st.builds(StepDeadlines, self_assessment=st.none() | days, manager_assessment=st.none() | days, zone=codes),
)
hashes = st.from_regex("[0-9a-f]{64}", fullmatch=True)
goal_evidences = st.lists(
    st.builds(
        GoalEvidence,
        goal=st.uuids().map(GoalId),
        plan=st.none() | st.uuids().map(GoalPlanId),
        weight=st.none() | percentages,
        state=st.sampled_from(["active", "achieved", "missed", "cancelled"]),
        value=st.none() | numbers,
        progress=st.none() | percentages,
        version=counts,
        position=counts,
        counted=counts,
        counted_hash=st.none() | hashes,
    ),
    max_size=3,
).map(tuple)
feedbacks = st.lists(st.uuids().map(FeedbackId), max_size=3).map(tuple)
evidences = st.builds(Evidence, goals=goal_evidences, feedback=feedbacks, goals_hash=st.none() | hashes)
scores = st.builds(
    Score,
    sections=st.lists(
        st.builds(
            SectionScore,
            name=codes,
            weight=percentages,
            weighted_sum=numbers,
            weight_sum=weights,
            rating=st.none() | numbers,
            self_rating=st.none() | numbers,
            gap=st.none() | numbers,
        ),
        max_size=2,
    ).map(tuple),
    coverage=percentages,
    rated=st.booleans(),
    overall=st.none() | numbers,
    level=st.none() | codes,
)
forms = st.lists(item_ratings, max_size=3).map(tuple)

cycle_opened = st.builds(
    ReviewCycleOpened, name=names, starts_on=days, ends_on=days, policy=policies, population=counts
)
cycle_closed = st.builds(ReviewCycleClosed, reason=names)
cycle_events = cycle_opened | cycle_closed

review_opened = st.builds(
    ReviewOpened, cycle=cycles, person=people, manager=st.none() | people, policy=st.just(POLICY) | policies
)
review_events = st.one_of(
    review_opened,
    st.builds(SelfAssessmentSubmitted, ratings=forms, comment=comments),
    st.builds(
        ManagerAssessmentSubmitted,
        assessor=people,
        ratings=forms,
        comment=comments,
        evidence=evidences,
        evidence_hash=hashes,
        score=scores,
    ),
    st.builds(EvidenceRequested, cycle=cycles, person=people, starts_on=days, ends_on=days),
    st.builds(GoalEvidenceTaken, goals=goal_evidences, goals_hash=hashes),
    st.builds(ReviewApproved, approver=people),
    st.builds(ReviewReleased, releaser=people),
    st.builds(ReviewAcknowledged, comment=comments),
    st.builds(
        ReviewStepDue,
        step=st.sampled_from([*ReviewStep, ReviewStep("calibration")]),
        cycle=cycles,
        person=people,
        waits_for=st.none() | people,
        due_on=days,
        zone=codes,
        due_at=st.just(NOW),
        late_seconds=counts,
    ),
    st.builds(
        ReviewCompleted,
        cycle=cycles,
        person=people,
        manager=people,
        overall=st.none() | numbers,
        rated=st.booleans(),
        level=st.none() | codes,
        scale_minimum=numbers,
        scale_maximum=numbers,
        evidence_hash=codes,
        policy_version=codes,
    ),
)
