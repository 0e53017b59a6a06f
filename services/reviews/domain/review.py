"""One person's review in one cycle: assessed, approved by a second person, released, acknowledged, completed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.reviews.domain.evidence import evidence_hash
from services.reviews.domain.rating import filled_in
from services.reviews.domain.review_commands import (
    AcknowledgeReview,
    ApproveReview,
    CompleteReview,
    OpenReview,
    ReleaseReview,
    RemindOfStep,
    ReviewCommand,
    SubmitManagerAssessment,
    SubmitSelfAssessment,
)
from services.reviews.domain.review_states import (
    Acknowledged,
    Approved,
    Assessment,
    Completed,
    ManagerAssessed,
    NotOpened,
    Opened,
    Released,
    Review,
    SelfAssessed,
    Terms,
)
from services.reviews.domain.score import score
from shared.eventsourcing.decider import Decider, Rejected
from shared.schemas.identifiers import PersonId, ReviewCycleId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import (
    ItemRating,
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

ReviewEvent = (
    ReviewOpened
    | SelfAssessmentSubmitted
    | ManagerAssessmentSubmitted
    | ReviewApproved
    | ReviewReleased
    | ReviewAcknowledged
    | ReviewCompleted
    | ReviewStepDue
)


def evolve(review: Review, event: ReviewEvent) -> Review:
    match review, event:
        case NotOpened(), ReviewOpened():
            return Opened(Terms(cycle=event.cycle, person=event.person, manager=event.manager, policy=event.policy))
        case Opened(), SelfAssessmentSubmitted():
            return SelfAssessed(review.terms, self_ratings=event.ratings, reminded=review.reminded)
        case Opened() | SelfAssessed(), ReviewStepDue(step=step):
            return replace(review, reminded=review.reminded | {step})
        case Opened() | SelfAssessed(), ManagerAssessmentSubmitted():
            return ManagerAssessed(review.terms, _assessment(event))
        case ManagerAssessed(), ReviewApproved():
            return Approved(review.terms, review.assessment, approver=event.approver)
        case Approved(), ReviewReleased():
            return Released(review.terms, review.assessment)
        case Released(), ReviewAcknowledged():
            return Acknowledged(review.terms, review.assessment)
        case Acknowledged(), ReviewCompleted():
            return Completed(review.terms, review.assessment)
        case _:
            return review


def _assessment(event: ManagerAssessmentSubmitted) -> Assessment:
    return Assessment(assessor=event.assessor, score=event.score, evidence_hash=event.evidence_hash)


def _cycle_of(review: Review, command: ReviewCommand) -> ReviewCycleId | None:
    if isinstance(review, NotOpened):
        return command.cycle if isinstance(command, OpenReview) else None
    return review.terms.cycle


def decide(review: Review, command: ReviewCommand) -> Sequence[ReviewEvent]:
    if not command.cycle_is_open:
        raise Rejected("review-cycle-is-closed", cycle=_cycle_of(review, command))
    match command:
        case OpenReview():
            return open_review(review, command)
        case SubmitSelfAssessment():
            return submit_self_assessment(review, command)
        case SubmitManagerAssessment():
            return submit_manager_assessment(review, command)
        case ApproveReview():
            return approve_review(review, command)
        case ReleaseReview():
            return release_review(review, command)
        case AcknowledgeReview():
            return acknowledge_review(review, command)
        case CompleteReview():
            return complete_review(review, command)
        case RemindOfStep():
            return remind_of_step(review, command)


def open_review(review: Review, command: OpenReview) -> Sequence[ReviewEvent]:
    """One review per person and cycle: opening it again changes nothing, whatever state it is in."""
    match review:
        case NotOpened():
            manager = None if command.manager == command.person else command.manager
            return [ReviewOpened(cycle=command.cycle, person=command.person, manager=manager, policy=command.policy)]
        case _:
            return []


def submit_self_assessment(review: Review, command: SubmitSelfAssessment) -> Sequence[ReviewEvent]:
    match review:
        case Opened(terms=terms):
            _only(command.by, terms.person, "only-the-reviewed-person-may-self-assess")
            ratings = filled_in(command.ratings, terms.policy)
            return [SelfAssessmentSubmitted(ratings=ratings, comment=_comment(terms, command.comment))]
        case _:
            raise Rejected("self-assessment-is-no-longer-possible", state=review.status)


def submit_manager_assessment(review: Review, command: SubmitManagerAssessment) -> Sequence[ReviewEvent]:
    match review:
        case Opened(terms=terms):
            return [_assessed(terms, (), command)]
        case SelfAssessed(terms=terms, self_ratings=self_ratings):
            return [_assessed(terms, self_ratings, command)]
        case _:
            raise Rejected("review-is-not-awaiting-the-manager", state=review.status)


def approve_review(review: Review, command: ApproveReview) -> Sequence[ReviewEvent]:
    match review:
        case ManagerAssessed(terms=terms, assessment=assessment):
            _never(command.by, terms.person, "approver-is-the-reviewed-person")
            _never(command.by, assessment.assessor, "approver-is-the-assessor")
            return [ReviewApproved(approver=command.by)]
        case Approved(approver=command.by):
            return []
        case _:
            raise Rejected("review-is-not-awaiting-approval", state=review.status)


def release_review(review: Review, command: ReleaseReview) -> Sequence[ReviewEvent]:
    match review:
        case Approved(terms=terms):
            _never(command.by, terms.person, "releaser-is-the-reviewed-person")
            return [ReviewReleased(releaser=command.by)]
        case Released():
            return []
        case _:
            raise Rejected("review-is-not-approved", state=review.status)


def acknowledge_review(review: Review, command: AcknowledgeReview) -> Sequence[ReviewEvent]:
    match review:
        case Released(terms=terms):
            _only(command.by, terms.person, "only-the-reviewed-person-may-acknowledge")
            return [ReviewAcknowledged(comment=_comment(terms, command.comment))]
        case Acknowledged(terms=terms) if command.by == terms.person and command.comment is None:
            return []
        case _:
            raise Rejected("review-is-not-released", state=review.status)


def complete_review(review: Review, command: CompleteReview) -> Sequence[ReviewEvent]:
    match review:
        case Acknowledged(terms=terms, assessment=assessment):
            _never(command.by, terms.person, "completer-is-the-reviewed-person")
            return [_completed(terms, assessment)]
        case Completed():
            return []
        case _:
            raise Rejected("review-is-not-acknowledged", state=review.status)


def remind_of_step(review: Review, command: RemindOfStep) -> Sequence[ReviewEvent]:
    """Once for each step, while it has not been taken."""
    match review, command.step:
        case Opened(terms=terms, reminded=reminded), ReviewStep.SELF_ASSESSMENT:
            waits_for: PersonId | None = terms.person
        case (
            (Opened(terms=terms, reminded=reminded) | SelfAssessed(terms=terms, reminded=reminded)),
            (ReviewStep.MANAGER_ASSESSMENT),
        ):
            waits_for = terms.manager
        case _:
            return []
    if command.step in reminded:
        return []
    return [
        ReviewStepDue(
            step=command.step,
            cycle=terms.cycle,
            person=terms.person,
            waits_for=waits_for,
            due_on=command.due_on,
            zone=command.zone,
            due_at=command.due_at,
            late_seconds=command.late_seconds,
        )
    ]


def _assessed(
    terms: Terms, self_ratings: Sequence[ItemRating], command: SubmitManagerAssessment
) -> ManagerAssessmentSubmitted:
    _never(command.by, terms.person, "assessor-is-the-reviewed-person")
    if terms.manager is not None:
        _only(command.by, terms.manager, "only-the-manager-of-record-may-assess")
    ratings = filled_in(command.ratings, terms.policy)
    return ManagerAssessmentSubmitted(
        assessor=command.by,
        ratings=ratings,
        comment=_comment(terms, command.comment),
        evidence=command.evidence,
        evidence_hash=evidence_hash(command.evidence),
        score=score(terms.policy, ratings=ratings, self_ratings=self_ratings),
    )


def _completed(terms: Terms, assessment: Assessment) -> ReviewCompleted:
    return ReviewCompleted(
        cycle=terms.cycle,
        person=terms.person,
        manager=assessment.assessor,
        overall=assessment.score.overall,
        rated=assessment.score.rated,
        level=assessment.score.level,
        scale_minimum=terms.policy.scale_minimum,
        scale_maximum=terms.policy.scale_maximum,
        evidence_hash=assessment.evidence_hash,
        policy_version=terms.policy.version,
    )


def _comment(terms: Terms, text: str | None) -> PersonalText | None:
    return None if text is None else PersonalText.about(terms.person, text)


def _only(actor: PersonId, allowed: PersonId, rule: str) -> None:
    if actor != allowed:
        raise Rejected(rule, actor=actor)


def _never(actor: PersonId, excluded: PersonId, rule: str) -> None:
    if actor == excluded:
        raise Rejected(rule, actor=actor)


REVIEW: Final[Decider[Review]] = Decider(category="review", initial=NotOpened(), decide=decide, evolve=evolve)
