"""Rules of a review: who may take which step, in which order, and what the completed review says."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

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
from services.reviews.projections.review_state import STATE_AFTER
from shared.schemas.event import Event
from shared.schemas.identifiers import SYSTEM, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import (
    EvidenceRequested,
    GoalEvidenceTaken,
    ManagerAssessmentSubmitted,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewCompleted,
    ReviewOpened,
    ReviewReleased,
    ReviewStep,
    ReviewStepDue,
    SelfAssessmentSubmitted,
)
from tests.spec import given
from tests.unit.services.reviews.form import (
    ANN,
    CYCLE,
    EVIDENCE,
    HR,
    MANAGER,
    NOW,
    POLICY,
    line,
    rated,
)

PRAISE = "Delivered on every commitment of the year."
VIEW = "The migration took longer than I planned."
OTHER = PersonId(UUID(int=0xAA))
DUE_ON = date(2026, 11, 30)
SELF, MANAGERS = ReviewStep.SELF_ASSESSMENT, ReviewStep.MANAGER_ASSESSMENT
FORM = (line("goals", "4"), line("competencies", "5"))
RATINGS = (rated("goals", "4"), rated("competencies", "5"))


def by(person: PersonId, **facts: Any) -> dict[str, Any]:
    return {"at": NOW, "by": person, "cycle_is_open": True, **facts}


open_review = OpenReview(cycle=CYCLE, person=ANN, manager=MANAGER, policy=POLICY, **by(HR))
DAYS: dict[str, Any] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
self_assess = SubmitSelfAssessment(ratings=(line("goals", "5"),), comment=VIEW, **DAYS, **by(ANN))
begin = OpenManagerAssessment(**DAYS, **by(MANAGER))
take = TakeGoalEvidence(goals=EVIDENCE.goals, goals_hash="a" * 64, **by(SYSTEM))
assess = SubmitManagerAssessment(ratings=FORM, comment=PRAISE, feedback=EVIDENCE.feedback, **by(MANAGER))
approve = ApproveReview(**by(HR))
release = ReleaseReview(**by(HR))
acknowledge = AcknowledgeReview(comment="Thank you.", **by(ANN))
complete = CompleteReview(**by(HR))

opened = ReviewOpened(cycle=CYCLE, person=ANN, manager=MANAGER, policy=POLICY)
self_assessed = SelfAssessmentSubmitted(ratings=(rated("goals", "5"),), comment=PersonalText.about(ANN, VIEW))
asked = EvidenceRequested(cycle=CYCLE, person=ANN, **DAYS)
taken = GoalEvidenceTaken(goals=EVIDENCE.goals, goals_hash="a" * 64)
assessed = ManagerAssessmentSubmitted(
    assessor=MANAGER,
    ratings=RATINGS,
    comment=PersonalText.about(ANN, PRAISE),
    evidence=EVIDENCE,
    evidence_hash=evidence_hash(EVIDENCE),
    score=score(POLICY, ratings=RATINGS, self_ratings=()),
)
approved = ReviewApproved(approver=HR)
released = ReviewReleased(releaser=HR)
acknowledged = ReviewAcknowledged(comment=PersonalText.about(ANN, "Thank you."))
completed = ReviewCompleted(
    cycle=CYCLE,
    person=ANN,
    manager=MANAGER,
    overall=Decimal("4.40"),
    rated=True,
    level="exceeds",
    scale_minimum=Decimal(1),
    scale_maximum=Decimal(5),
    evidence_hash=evidence_hash(EVIDENCE),
    policy_version="enterprise-1",
)

STEPS: Sequence[Event] = (opened, assessed, approved, released, acknowledged, completed)
STATES = ("not-opened", "opened", "manager-assessed", "approved", "released", "acknowledged", "completed")


def until(state: str) -> Sequence[Event]:
    return STEPS[: STATES.index(state)]


def test_the_read_models_name_the_states_as_the_review_does() -> None:
    history = [opened, self_assessed, assessed, approved, released, acknowledged, completed]
    for count, event in enumerate(history, start=1):
        assert REVIEW.fold(history[:count]).status == STATE_AFTER[type(event)]
    assert list(STATE_AFTER) == [type(event) for event in history]


def test_a_review_opens_for_a_person_under_the_cycles_policy() -> None:
    given(REVIEW).when(open_review).then(opened)


def test_opening_it_again_changes_nothing_even_under_another_manager() -> None:
    given(REVIEW, opened).when(open_review.model_copy(update={"manager": OTHER})).then_nothing()


def test_whoever_would_be_their_own_manager_is_assessed_by_hr() -> None:
    without_manager = opened.model_copy(update={"manager": None})
    given(REVIEW).when(open_review.model_copy(update={"manager": ANN})).then(without_manager)


def test_the_person_assesses_themselves() -> None:
    given(REVIEW, opened).when(self_assess).then(self_assessed, asked)


def test_nobody_else_writes_the_self_assessment() -> None:
    as_manager = self_assess.model_copy(update={"by": MANAGER})
    given(REVIEW, opened).when(as_manager).then_rejected("only-the-reviewed-person-may-self-assess", actor=MANAGER)


def test_the_self_assessment_is_written_once() -> None:
    given(REVIEW, opened, self_assessed).when(self_assess).then_rejected(
        "self-assessment-is-no-longer-possible", state="self-assessed"
    )


def test_the_self_assessment_comes_before_the_managers() -> None:
    given(REVIEW, opened, assessed).when(self_assess).then_rejected(
        "self-assessment-is-no-longer-possible", state="manager-assessed"
    )


def test_the_manager_assesses_without_a_self_assessment_too() -> None:
    given(REVIEW, opened, asked, taken).when(assess).then(assessed)


def test_the_managers_assessment_opens_with_the_self_assessment_or_by_the_manager() -> None:
    given(REVIEW, opened).when(begin).then(asked)
    given(REVIEW, opened, self_assessed).when(begin).then(asked)


def test_the_goals_are_asked_for_once() -> None:
    given(REVIEW, opened, asked).when(begin).then_nothing()
    given(REVIEW, opened, asked, taken).when(begin).then_nothing()
    given(REVIEW, opened, asked).when(self_assess).then(self_assessed)


@pytest.mark.parametrize("actor", [HR, OTHER])
def test_only_the_manager_of_record_opens_the_assessment(actor: PersonId) -> None:
    given(REVIEW, opened).when(begin.model_copy(update={"by": actor})).then_rejected(
        "only-the-manager-of-record-may-assess", actor=actor
    )


def test_what_is_assessed_is_not_opened_again() -> None:
    given(REVIEW, opened, assessed).when(begin).then_rejected(
        "review-is-not-awaiting-the-manager", state="manager-assessed"
    )


def test_the_first_answer_to_the_reviews_question_is_taken_and_no_other() -> None:
    given(REVIEW, opened, asked).when(take).then(taken)
    given(REVIEW, opened, asked, self_assessed).when(take).then(taken)
    other = take.model_copy(update={"goals": ()})
    given(REVIEW, opened, asked, taken).when(other).then_nothing()
    given(REVIEW, opened).when(take).then_nothing()
    given(REVIEW, opened, assessed).when(take).then_nothing()


@pytest.mark.parametrize(("history", "evidence"), [([opened], "not-requested"), ([opened, asked], "requested")])
def test_nobody_rates_before_the_goals_are_frozen(history: list[Event], evidence: str) -> None:
    given(REVIEW, *history).when(assess).then_rejected("evidence-must-be-frozen-first", evidence=evidence)


def test_the_managers_assessment_shows_the_gap_to_the_self_assessment() -> None:
    own = (rated("goals", "5"),)
    with_gap = assessed.model_copy(update={"score": score(POLICY, ratings=RATINGS, self_ratings=own)})
    assert with_gap.score.sections[0].gap == Decimal(1)
    assert with_gap.score.overall == assessed.score.overall
    given(REVIEW, opened, self_assessed, asked, taken).when(assess).then(with_gap)


def test_an_assessment_may_go_without_a_comment() -> None:
    given(REVIEW, opened, asked, taken).when(assess.model_copy(update={"comment": None})).then(
        assessed.model_copy(update={"comment": None})
    )


@pytest.mark.parametrize("actor", [HR, OTHER])
def test_only_the_manager_of_record_assesses(actor: PersonId) -> None:
    given(REVIEW, opened, asked, taken).when(assess.model_copy(update={"by": actor})).then_rejected(
        "only-the-manager-of-record-may-assess", actor=actor
    )


def test_nobody_assesses_themselves_as_the_manager() -> None:
    without_manager = opened.model_copy(update={"manager": None})
    given(REVIEW, without_manager, asked, taken).when(assess.model_copy(update={"by": ANN})).then_rejected(
        "assessor-is-the-reviewed-person", actor=ANN
    )


def test_without_a_manager_of_record_hr_assesses() -> None:
    without_manager = opened.model_copy(update={"manager": None})
    given(REVIEW, without_manager, asked, taken).when(assess.model_copy(update={"by": HR})).then(
        assessed.model_copy(update={"assessor": HR})
    )


def test_a_section_that_the_policy_does_not_know_is_rejected() -> None:
    unknown = assess.model_copy(update={"ratings": (line("attendance", "4"),)})
    given(REVIEW, opened, asked, taken).when(unknown).then_rejected(
        "section-is-not-in-the-policy", section="attendance", policy="enterprise-1"
    )


@pytest.mark.parametrize("rating", ["0.99", "5.01"])
def test_a_rating_outside_the_scale_is_rejected(rating: str) -> None:
    given(REVIEW, opened, asked, taken).when(
        assess.model_copy(update={"ratings": (line("goals", rating),)})
    ).then_rejected("rating-is-outside-the-scale", rating=Decimal(rating), minimum=Decimal(1), maximum=Decimal(5))


def test_an_item_is_rated_once() -> None:
    twice = (line("goals", "4"), line("goals", None))
    given(REVIEW, opened).when(self_assess.model_copy(update={"ratings": twice})).then_rejected(
        "item-is-rated-twice", section="goals", item="delivery"
    )


def test_a_second_person_approves() -> None:
    given(REVIEW, opened, assessed).when(approve).then(approved)


def test_the_same_approval_twice_is_one() -> None:
    given(REVIEW, *until("approved")).when(approve).then_nothing()


def test_a_second_approver_is_told_that_it_is_done() -> None:
    given(REVIEW, *until("approved")).when(approve.model_copy(update={"by": OTHER})).then_rejected(
        "review-is-not-awaiting-approval", state="approved"
    )


def test_the_assessor_does_not_approve() -> None:
    given(REVIEW, opened, assessed).when(approve.model_copy(update={"by": MANAGER})).then_rejected(
        "approver-is-the-assessor", actor=MANAGER
    )


def test_nobody_approves_their_own_review() -> None:
    given(REVIEW, opened, assessed).when(approve.model_copy(update={"by": ANN})).then_rejected(
        "approver-is-the-reviewed-person", actor=ANN
    )


def test_an_approved_review_is_released() -> None:
    given(REVIEW, *until("approved")).when(release).then(released)


def test_releasing_twice_is_once() -> None:
    given(REVIEW, *until("released")).when(release).then_nothing()


def test_nobody_releases_their_own_review() -> None:
    given(REVIEW, *until("approved")).when(release.model_copy(update={"by": ANN})).then_rejected(
        "releaser-is-the-reviewed-person", actor=ANN
    )


def test_the_person_acknowledges_with_a_comment() -> None:
    given(REVIEW, *until("released")).when(acknowledge).then(acknowledged)


def test_the_person_acknowledges_without_a_comment() -> None:
    silent = acknowledge.model_copy(update={"comment": None})
    given(REVIEW, *until("released")).when(silent).then(ReviewAcknowledged(comment=None))
    given(REVIEW, *until("acknowledged")).when(silent).then_nothing()


def test_nobody_acknowledges_for_another() -> None:
    given(REVIEW, *until("released")).when(acknowledge.model_copy(update={"by": MANAGER})).then_rejected(
        "only-the-reviewed-person-may-acknowledge", actor=MANAGER
    )


def test_an_acknowledged_review_is_completed_with_the_frozen_score() -> None:
    given(REVIEW, *until("acknowledged")).when(complete).then(completed)


def test_an_unrated_review_is_completed_as_unrated_and_not_as_zero() -> None:
    partial = assessed.model_copy(update={"score": score(POLICY, ratings=RATINGS[1:], self_ratings=())})
    history = [opened, partial, approved, released, acknowledged]
    unrated = completed.model_copy(update={"overall": None, "rated": False, "level": None})
    given(REVIEW, *history).when(complete).then(unrated)


def test_completing_twice_is_once() -> None:
    given(REVIEW, *until("completed")).when(complete).then_nothing()


def test_nobody_completes_their_own_review() -> None:
    given(REVIEW, *until("acknowledged")).when(complete.model_copy(update={"by": ANN})).then_rejected(
        "completer-is-the-reviewed-person", actor=ANN
    )


def remind(step: ReviewStep, *, late_seconds: int = 0) -> RemindOfStep:
    return RemindOfStep(step=step, due_on=DUE_ON, zone="UTC", due_at=NOW, late_seconds=late_seconds, **by(SYSTEM))


def due(step: ReviewStep, waits_for: PersonId | None, *, late_seconds: int = 0) -> ReviewStepDue:
    return ReviewStepDue(
        step=step,
        cycle=CYCLE,
        person=ANN,
        waits_for=waits_for,
        due_on=DUE_ON,
        zone="UTC",
        due_at=NOW,
        late_seconds=late_seconds,
    )


def test_a_step_that_is_due_is_reminded_of_with_who_is_to_take_it() -> None:
    given(REVIEW, opened).when(remind(SELF)).then(due(SELF, ANN))
    given(REVIEW, opened).when(remind(MANAGERS, late_seconds=90)).then(due(MANAGERS, MANAGER, late_seconds=90))
    given(REVIEW, opened, self_assessed).when(remind(MANAGERS)).then(due(MANAGERS, MANAGER))


def test_without_a_manager_of_record_hr_is_reminded() -> None:
    given(REVIEW, opened.model_copy(update={"manager": None})).when(remind(MANAGERS)).then(due(MANAGERS, None))


def test_each_step_is_reminded_of_once() -> None:
    given(REVIEW, opened, due(SELF, ANN)).when(remind(SELF)).then_nothing()
    given(REVIEW, opened, due(SELF, ANN)).when(remind(MANAGERS)).then(due(MANAGERS, MANAGER))
    given(REVIEW, opened, due(MANAGERS, MANAGER), self_assessed).when(remind(MANAGERS)).then_nothing()


@pytest.mark.parametrize("state", [state for state in STATES if state != "opened"])
def test_nobody_is_reminded_of_a_step_that_was_taken(state: str) -> None:
    given(REVIEW, *until(state)).when(remind(SELF)).then_nothing()
    if state != "self-assessed":
        given(REVIEW, *until(state)).when(remind(MANAGERS)).then_nothing()


@pytest.mark.parametrize(
    ("command", "rule", "allowed"),
    [
        (assess, "review-is-not-awaiting-the-manager", {"opened"}),
        (approve, "review-is-not-awaiting-approval", {"manager-assessed", "approved"}),
        (release, "review-is-not-approved", {"approved", "released"}),
        (acknowledge, "review-is-not-released", {"released"}),
        (complete, "review-is-not-acknowledged", {"acknowledged", "completed"}),
    ],
    ids=["assess", "approve", "release", "acknowledge", "complete"],
)
def test_a_step_out_of_order_names_the_state(command: ReviewCommand, rule: str, allowed: set[str]) -> None:
    for state in STATES:
        if state not in allowed:
            given(REVIEW, *until(state)).when(command).then_rejected(rule, state=state)


@pytest.mark.parametrize("command", [open_review, self_assess, assess, approve, release, acknowledge, complete])
def test_a_command_on_a_closed_cycle_is_rejected(command: ReviewCommand) -> None:
    late = command.model_copy(update={"cycle_is_open": False})
    for state in STATES:
        named = {} if state == "not-opened" else {"cycle": open_review.cycle}
        given(REVIEW, *until(state)).when(late).then_rejected("review-cycle-is-closed", **named)
