"""Both assessments of a review, and the evidence: the manager's opens, what the goals say is frozen, then they rate."""

from collections.abc import Sequence

from services.reviews.domain.evidence import evidence_hash
from services.reviews.domain.rating import filled_in
from services.reviews.domain.review_commands import (
    OpenManagerAssessment,
    OpensAssessment,
    SubmitManagerAssessment,
    SubmitSelfAssessment,
    TakeGoalEvidence,
)
from services.reviews.domain.review_parties import comment_about, never, only
from services.reviews.domain.review_states import (
    EvidenceAsked,
    EvidenceFrozen,
    Opened,
    Review,
    ReviewEvent,
    SelfAssessed,
    Terms,
)
from services.reviews.domain.score import score
from shared.eventsourcing.decider import Rejected
from shared.schemas.identifiers import PersonId
from shared.schemas.reviews import (
    Evidence,
    EvidenceRequested,
    GoalEvidenceTaken,
    ItemRating,
    ManagerAssessmentSubmitted,
    SelfAssessmentSubmitted,
)


def submit_self_assessment(review: Review, command: SubmitSelfAssessment) -> Sequence[ReviewEvent]:
    match review:
        case Opened(terms=terms):
            only(command.by, terms.person, "only-the-reviewed-person-may-self-assess")
            ratings = filled_in(command.ratings, terms.policy)
            submitted = SelfAssessmentSubmitted(ratings=ratings, comment=comment_about(terms, command.comment))
            return [submitted, *_evidence_requested(review, command)]
        case _:
            raise Rejected("self-assessment-is-no-longer-possible", state=review.status)


def open_manager_assessment(review: Review, command: OpenManagerAssessment) -> Sequence[ReviewEvent]:
    match review:
        case Opened(terms=terms) | SelfAssessed(terms=terms):
            _refuse_other_assessors(terms, command.by)
            return _evidence_requested(review, command)
        case _:
            raise Rejected("review-is-not-awaiting-the-manager", state=review.status)


def take_goal_evidence(review: Review, command: TakeGoalEvidence) -> Sequence[ReviewEvent]:
    """The first answer to the review's own question; any other changes nothing."""
    match review:
        case Opened(goals=EvidenceAsked()) | SelfAssessed(goals=EvidenceAsked()):
            return [GoalEvidenceTaken(goals=command.goals, goals_hash=command.goals_hash)]
        case _:
            return []


def submit_manager_assessment(review: Review, command: SubmitManagerAssessment) -> Sequence[ReviewEvent]:
    match review:
        case Opened():
            return [_assessed(review, (), command)]
        case SelfAssessed(self_ratings=self_ratings):
            return [_assessed(review, self_ratings, command)]
        case _:
            raise Rejected("review-is-not-awaiting-the-manager", state=review.status)


def _evidence_requested(review: Opened | SelfAssessed, command: OpensAssessment) -> Sequence[ReviewEvent]:
    """Once for each review: who opens what is open already asks nobody again."""
    if review.goals is not None:
        return []
    terms = review.terms
    period = {"starts_on": command.starts_on, "ends_on": command.ends_on}
    return [EvidenceRequested(cycle=terms.cycle, person=terms.person, **period)]


def _refuse_other_assessors(terms: Terms, actor: PersonId) -> None:
    never(actor, terms.person, "assessor-is-the-reviewed-person")
    if terms.manager is not None:
        only(actor, terms.manager, "only-the-manager-of-record-may-assess")


def _assessed(
    review: Opened | SelfAssessed, self_ratings: Sequence[ItemRating], command: SubmitManagerAssessment
) -> ManagerAssessmentSubmitted:
    terms = review.terms
    _refuse_other_assessors(terms, command.by)
    ratings, evidence = filled_in(command.ratings, terms.policy), _evidence(review, command)
    return ManagerAssessmentSubmitted(
        assessor=command.by,
        ratings=ratings,
        comment=comment_about(terms, command.comment),
        evidence=evidence,
        evidence_hash=evidence_hash(evidence),
        score=score(terms.policy, ratings=ratings, self_ratings=self_ratings),
    )


def _evidence(review: Opened | SelfAssessed, command: SubmitManagerAssessment) -> Evidence:
    frozen = review.goals
    if not isinstance(frozen, EvidenceFrozen):
        raise Rejected("evidence-must-be-frozen-first", evidence="not-requested" if frozen is None else "requested")
    return Evidence(goals=frozen.goals, feedback=command.feedback, goals_hash=frozen.goals_hash)
