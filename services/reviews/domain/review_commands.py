"""What can be asked of a review; every command knows whether the review's cycle is still open."""

from datetime import date

from pydantic import AwareDatetime, Field

from services.reviews.domain.rating import Form
from shared.eventsourcing.decider import Command, RequestBody
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import FeedbackId, PersonId, ReviewCycleId
from shared.schemas.reviews import CyclePolicy, ReviewStep
from shared.schemas.values import LongText


class _InCycle(Command):
    """`cycle_is_open` was read from the cycle's stream, which must be unchanged when the events are appended."""

    cycle_is_open: bool


class OpenReview(_InCycle):
    """Begin a person's review; without a manager of record HR assesses."""

    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None
    policy: CyclePolicy


class SelfAssessmentBody(RequestBody):
    """How the person sees their own work."""

    ratings: Form
    comment: LongText | None = Field(default=None, examples=["The migration took longer than I planned."])


class OpensAssessment(_InCycle):
    """The cycle's days: what was agreed for them is evidence."""

    starts_on: date
    ends_on: date


class SubmitSelfAssessment(SelfAssessmentBody, OpensAssessment):
    """The person's own view; optional, and once. The manager's assessment opens with it."""


class OpenManagerAssessment(OpensAssessment):
    """The manager begins without a self-assessment."""


class TakeGoalEvidence(_InCycle):
    """What the goals service froze."""

    goals: tuple[GoalEvidence, ...]
    goals_hash: str


class ManagerAssessmentBody(RequestBody):
    """How the manager rates the person's work."""

    ratings: Form
    comment: LongText | None = Field(default=None, examples=["Delivered on every commitment of the year."])


class SubmitManagerAssessment(ManagerAssessmentBody, _InCycle):
    """The rating; `feedback` was given in the cycle, and lay before the assessor beside the frozen goals."""

    feedback: tuple[FeedbackId, ...]


class ApproveReview(_InCycle):
    """The second pair of eyes."""


class ReleaseReview(_InCycle):
    """Let the person read the assessment."""


class AcknowledgeReviewBody(RequestBody):
    """What the person says to it, if anything."""

    comment: LongText | None = Field(default=None, examples=["Thank you, I agree."])


class AcknowledgeReview(AcknowledgeReviewBody, _InCycle):
    """The person has read it."""


class CompleteReview(_InCycle):
    """Hand the result on."""


class RemindOfStep(_InCycle):
    """The day `due_on` has begun in the zone, at `due_at`, and that was found so many seconds later."""

    step: ReviewStep
    due_on: date
    zone: str
    due_at: AwareDatetime
    late_seconds: int


ReviewCommand = (
    OpenReview
    | SubmitSelfAssessment
    | OpenManagerAssessment
    | TakeGoalEvidence
    | SubmitManagerAssessment
    | ApproveReview
    | ReleaseReview
    | AcknowledgeReview
    | CompleteReview
    | RemindOfStep
)
