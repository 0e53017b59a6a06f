"""One person's review in one cycle: assessed, approved by a second person, released, acknowledged, completed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from services.reviews.domain.review_assessment import (
    open_manager_assessment,
    submit_manager_assessment,
    submit_self_assessment,
    take_goal_evidence,
)
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
from services.reviews.domain.review_parties import comment_about, never, only
from services.reviews.domain.review_states import (
    Acknowledged,
    Approved,
    Assessment,
    Completed,
    EvidenceAsked,
    EvidenceFrozen,
    ManagerAssessed,
    NotOpened,
    Opened,
    Released,
    Review,
    ReviewEvent,
    SelfAssessed,
    Terms,
)
from shared.eventsourcing.decider import Decider, Rejected
from shared.schemas.identifiers import PersonId, ReviewCycleId
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


def evolve(review: Review, event: ReviewEvent) -> Review:
    match review, event:
        case NotOpened(), ReviewOpened():
            return Opened(Terms(cycle=event.cycle, person=event.person, manager=event.manager, policy=event.policy))
        case Opened() | SelfAssessed(), _:
            return _before_the_assessment(review, event)
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


def _before_the_assessment(review: Opened | SelfAssessed, event: ReviewEvent) -> Review:
    match event:
        case SelfAssessmentSubmitted() if isinstance(review, Opened):
            return SelfAssessed(review.terms, event.ratings, reminded=review.reminded, goals=review.goals)
        case EvidenceRequested():
            return replace(review, goals=review.goals or EvidenceAsked())
        case GoalEvidenceTaken():
            return replace(review, goals=EvidenceFrozen(event.goals, event.goals_hash))
        case ReviewStepDue(step=step):
            return replace(review, reminded=review.reminded | {step})
        case ManagerAssessmentSubmitted():
            return ManagerAssessed(review.terms, _assessment(event))
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
    return DECISIONS[type(command)](review, command)


def open_review(review: Review, command: OpenReview) -> Sequence[ReviewEvent]:
    """One review per person and cycle: opening it again changes nothing, whatever state it is in."""
    match review:
        case NotOpened():
            manager = None if command.manager == command.person else command.manager
            return [ReviewOpened(cycle=command.cycle, person=command.person, manager=manager, policy=command.policy)]
        case _:
            return []


def approve_review(review: Review, command: ApproveReview) -> Sequence[ReviewEvent]:
    match review:
        case ManagerAssessed(terms=terms, assessment=assessment):
            never(command.by, terms.person, "approver-is-the-reviewed-person")
            never(command.by, assessment.assessor, "approver-is-the-assessor")
            return [ReviewApproved(approver=command.by)]
        case Approved(approver=command.by):
            return []
        case _:
            raise Rejected("review-is-not-awaiting-approval", state=review.status)


def release_review(review: Review, command: ReleaseReview) -> Sequence[ReviewEvent]:
    match review:
        case Approved(terms=terms):
            never(command.by, terms.person, "releaser-is-the-reviewed-person")
            return [ReviewReleased(releaser=command.by)]
        case Released():
            return []
        case _:
            raise Rejected("review-is-not-approved", state=review.status)


def acknowledge_review(review: Review, command: AcknowledgeReview) -> Sequence[ReviewEvent]:
    match review:
        case Released(terms=terms):
            only(command.by, terms.person, "only-the-reviewed-person-may-acknowledge")
            return [ReviewAcknowledged(comment=comment_about(terms, command.comment))]
        case Acknowledged(terms=terms) if command.by == terms.person and command.comment is None:
            return []
        case _:
            raise Rejected("review-is-not-released", state=review.status)


def complete_review(review: Review, command: CompleteReview) -> Sequence[ReviewEvent]:
    match review:
        case Acknowledged(terms=terms, assessment=assessment):
            never(command.by, terms.person, "completer-is-the-reviewed-person")
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


DECISIONS: Final[Mapping[type[ReviewCommand], Callable[[Review, Any], Sequence[ReviewEvent]]]] = MappingProxyType(
    {
        OpenReview: open_review,
        SubmitSelfAssessment: submit_self_assessment,
        OpenManagerAssessment: open_manager_assessment,
        TakeGoalEvidence: take_goal_evidence,
        SubmitManagerAssessment: submit_manager_assessment,
        ApproveReview: approve_review,
        ReleaseReview: release_review,
        AcknowledgeReview: acknowledge_review,
        CompleteReview: complete_review,
        RemindOfStep: remind_of_step,
    }
)
"""What may be asked of a review, and which function decides it."""

REVIEW: Final[Decider[Review]] = Decider(category="review", initial=NotOpened(), decide=decide, evolve=evolve)
