"""The states of a review, one per step, with only what later decisions need."""

from dataclasses import dataclass, field

from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import PersonId, ReviewCycleId
from shared.schemas.reviews import (
    CyclePolicy,
    EvidenceRequested,
    GoalEvidenceTaken,
    ItemRating,
    ManagerAssessmentSubmitted,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewCompleted,
    ReviewOpened,
    ReviewReleased,
    ReviewStep,
    ReviewStepDue,
    Score,
    SelfAssessmentSubmitted,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a review was opened under; `manager` None: HR assesses."""

    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None
    policy: CyclePolicy


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the completed review will say, frozen when the manager assessed."""

    assessor: PersonId
    score: Score
    evidence_hash: str


@dataclass(frozen=True, slots=True)
class EvidenceAsked:
    """The manager's assessment is open, and the goals service has not answered yet."""


@dataclass(frozen=True, slots=True)
class EvidenceFrozen:
    """What the goals said when the manager's assessment opened."""

    goals: tuple[GoalEvidence, ...]
    goals_hash: str


GoalsThen = EvidenceAsked | EvidenceFrozen | None
"""None: the manager's assessment is not open yet."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    status: str = field(default="not-opened", init=False)


@dataclass(frozen=True, slots=True)
class Opened:
    terms: Terms
    reminded: frozenset[ReviewStep] = frozenset()
    goals: GoalsThen = None
    status: str = field(default="opened", init=False)


@dataclass(frozen=True, slots=True)
class SelfAssessed:
    terms: Terms
    self_ratings: tuple[ItemRating, ...]
    reminded: frozenset[ReviewStep] = frozenset()
    goals: GoalsThen = None
    status: str = field(default="self-assessed", init=False)


@dataclass(frozen=True, slots=True)
class ManagerAssessed:
    terms: Terms
    assessment: Assessment
    status: str = field(default="manager-assessed", init=False)


@dataclass(frozen=True, slots=True)
class Approved:
    terms: Terms
    assessment: Assessment
    approver: PersonId
    status: str = field(default="approved", init=False)


@dataclass(frozen=True, slots=True)
class Released:
    terms: Terms
    assessment: Assessment
    status: str = field(default="released", init=False)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    terms: Terms
    assessment: Assessment
    status: str = field(default="acknowledged", init=False)


@dataclass(frozen=True, slots=True)
class Completed:
    terms: Terms
    assessment: Assessment
    status: str = field(default="completed", init=False)


Review = NotOpened | Opened | SelfAssessed | ManagerAssessed | Approved | Released | Acknowledged | Completed
ReviewEvent = (
    ReviewOpened
    | SelfAssessmentSubmitted
    | EvidenceRequested
    | GoalEvidenceTaken
    | ManagerAssessmentSubmitted
    | ReviewApproved
    | ReviewReleased
    | ReviewAcknowledged
    | ReviewCompleted
    | ReviewStepDue
)
