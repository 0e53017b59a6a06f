"""Properties of reviews: whatever happened, events survive, evolve is total, deciding twice adds nothing."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.reviews.domain.evidence import evidence_hash
from services.reviews.domain.review import REVIEW
from services.reviews.domain.review_commands import (
    AcknowledgeReview,
    ApproveReview,
    CompleteReview,
    OpenManagerAssessment,
    OpenReview,
    ReleaseReview,
    RemindOfStep,
    ReviewCommand,
    SubmitManagerAssessment,
    SubmitSelfAssessment,
    TakeGoalEvidence,
)
from services.reviews.domain.score import score
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.reviews import TYPES, ManagerAssessmentSubmitted, ReviewStep
from tests.unit.services.reviews.domain.test_review import FORM, PRAISE, STEPS, assessed
from tests.unit.services.reviews.form import (
    NOW,
    POLICY,
    cycles,
    days,
    feedbacks,
    goal_evidences,
    hashes,
    line,
    people,
    review_events,
)

histories = st.lists(review_events, max_size=8) | st.integers(0, len(STEPS)).map(lambda n: list(STEPS[:n]))
facts = {"at": st.just(NOW), "by": people, "cycle_is_open": st.booleans()}
forms = st.sampled_from([(), FORM, (line("goals", None),), (line("attendance", "3"),)])
texts = st.sampled_from([None, PRAISE])
commands = st.one_of(
    st.builds(OpenReview, cycle=cycles, person=people, manager=st.none() | people, policy=st.just(POLICY), **facts),
    st.builds(SubmitSelfAssessment, ratings=forms, comment=texts, starts_on=days, ends_on=days, **facts),
    st.builds(OpenManagerAssessment, starts_on=days, ends_on=days, **facts),
    st.builds(TakeGoalEvidence, goals=goal_evidences, goals_hash=hashes, **facts),
    st.builds(SubmitManagerAssessment, ratings=forms, comment=texts, feedback=feedbacks, **facts),
    st.builds(ApproveReview, **facts),
    st.builds(ReleaseReview, **facts),
    st.builds(AcknowledgeReview, comment=texts, **facts),
    st.builds(CompleteReview, **facts),
    st.builds(
        RemindOfStep,
        step=st.sampled_from(ReviewStep),
        due_on=days,
        zone=st.just("UTC"),
        due_at=st.just(NOW),
        late_seconds=st.just(0),
        **facts,
    ),
)


@for_all(review_events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, Event)
    assert encode(read) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    REVIEW.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[Event], command: ReviewCommand) -> None:
    state = REVIEW.fold(history)
    try:
        state = REVIEW.fold(REVIEW.decide(state, command), state)
        again = REVIEW.decide(state, command)
    except Rejected:
        return
    assert list(again) == []


def test_a_replay_gives_the_same_score_byte_for_byte() -> None:
    stored = encode(assessed.model_copy(update={"comment": None}))
    read = TYPES.decode(assessed.event_type, stored)
    assert isinstance(read, ManagerAssessmentSubmitted)
    again = score(POLICY, ratings=read.ratings, self_ratings=())
    assert again.model_dump_json() == read.score.model_dump_json()
    assert evidence_hash(read.evidence) == read.evidence_hash
