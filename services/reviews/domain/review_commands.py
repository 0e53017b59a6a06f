"""What can be asked of a review; every command knows whether the review's cycle is still open."""

from datetime import date

from pydantic import AwareDatetime, Field

from services.reviews.domain.rating import Form
from shared.eventsourcing.decider import Command, RequestBody
from shared.schemas.identifiers import PersonId, ReviewCycleId
from shared.schemas.reviews import CyclePolicy, Evidence, ReviewStep
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


class SubmitSelfAssessment(SelfAssessmentBody, _InCycle):
    """The person's own view; optional, and once."""


class ManagerAssessmentBody(RequestBody):
    """How the manager rates the person's work."""

    ratings: Form
    comment: LongText | None = Field(default=None, examples=["Delivered on every commitment of the year."])


class SubmitManagerAssessment(ManagerAssessmentBody, _InCycle):
    """The rating, with the evidence that lay before the assessor."""

    evidence: Evidence


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
    | SubmitManagerAssessment
    | ApproveReview
    | ReleaseReview
    | AcknowledgeReview
    | CompleteReview
    | RemindOfStep
)
