"""What the reviews service publishes: cycles, the steps of each review, and the score with everything it came from.

Sections, items and levels are named by codes (`[a-z0-9][a-z0-9._-]*`), never by free text.
"""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import FeedbackId, PersonId, ReviewCycleId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, OpenEnum, ShortText

TOPIC: Final = "reviews.events"


class _Part(BaseModel):
    """A part of an event: frozen, and tolerant to read, as the event is."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CycleSection(_Part):
    """A section of the review form; the weights of a policy's sections total 100."""

    name: str = Field(examples=["goals"])
    weight: DecimalString = Field(examples=["60"])


class RatingLevel(_Part):
    """A named band of the scale: overall scores from `minimum` up to the next level's."""

    name: str = Field(examples=["exceeds-expectations"])
    minimum: DecimalString = Field(examples=["4.00"])


class ReviewStep(OpenEnum):
    """A step that can have a deadline."""

    SELF_ASSESSMENT = "self-assessment"
    MANAGER_ASSESSMENT = "manager-assessment"


class StepDeadlines(_Part):
    """The last day on which a step is in time, by the calendar of `zone`; null: the step has no deadline."""

    self_assessment: date | None = None
    manager_assessment: date | None = None
    zone: str = Field(examples=["Europe/Berlin"], description="IANA time zone.")


def _is_none(value: object) -> bool:
    return value is None


class CyclePolicy(_Part):
    """The rules of one cycle, as versioned data; every review keeps the policy that it was opened under."""

    version: str = Field(examples=["enterprise-1"])
    scale_minimum: DecimalString = Field(examples=["1"])
    scale_maximum: DecimalString = Field(examples=["5"])
    sections: tuple[CycleSection, ...]
    minimum_coverage: DecimalString = Field(
        default=Decimal(60), description="Percent of the sections' weight that must be rated; below it: not rated."
    )
    self_weight: DecimalString = Field(
        default=Decimal(0), description="What a self rating weighs beside the manager's, which weighs 1."
    )
    levels: tuple[RatingLevel, ...] = ()
    deadlines: StepDeadlines | None = Field(
        default=None, exclude_if=_is_none, description="Left out of a policy without deadlines."
    )


class ItemRating(_Part):
    """One rated line of the form; `rating` None says that it could not be rated, which is never zero."""

    section: str = Field(examples=["goals"])
    item: str = Field(examples=["delivery"], description="A competency's code or a goal's id.")
    weight: DecimalString = Field(default=Decimal(1), description="Weight within the section; 0 is allowed.")
    rating: DecimalString | None = Field(examples=["4"], description="On the policy's scale; null: not rated.")


class Evidence(_Part):
    """What lay before the assessor: ids and numbers alone, sorted by id, so that it can be hashed and proven.

    `goals` are as the goals service froze them; `goals_hash` is the `evidence_hash` of its `GoalEvidenceFrozen`.
    """

    goals: tuple[GoalEvidence, ...]
    feedback: tuple[FeedbackId, ...]
    goals_hash: str | None = None


class SectionScore(_Part):
    """A section's calculation: rating = weighted_sum / weight_sum, shown with at most 12 places, never used rounded."""

    name: str
    weight: DecimalString
    weighted_sum: DecimalString = Field(description="Sum of rating * weight over the rated items.")
    weight_sum: DecimalString = Field(description="Sum of weight over the rated items; 0: the section is not rated.")
    rating: DecimalString | None
    self_rating: DecimalString | None = Field(description="The same over the person's own ratings.")
    gap: DecimalString | None = Field(description="self_rating minus the same over the assessor's ratings alone.")


class Score(_Part):
    """overall = sum(rating * weight) / sum(weight) over the rated sections, rounded half-up once, to 2 places."""

    sections: tuple[SectionScore, ...]
    coverage: DecimalString = Field(description="Percent of the sections' weight that is rated.")
    rated: bool = Field(description="False: the coverage is below the policy's minimum, or nothing is rated.")
    overall: DecimalString | None
    level: str | None


class ReviewCycleOpened(Event):
    """A cycle began; `population` is the number of people it was opened over."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCycleOpened.v1"

    name: ShortText
    starts_on: date
    ends_on: date
    policy: CyclePolicy
    population: int


class ReviewCycleClosed(Event):
    """A cycle ended: nothing in it can be changed any more."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCycleClosed.v1"

    reason: ShortText


class ReviewOpened(Event):
    """A person's review in a cycle began."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewOpened.v1"

    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None = Field(description="Manager of record, who assesses; null: HR assesses.")
    policy: CyclePolicy


class SelfAssessmentSubmitted(Event):
    """The person said how they see their own work."""

    event_type: ClassVar[str] = "trellis.reviews.SelfAssessmentSubmitted.v1"

    ratings: tuple[ItemRating, ...]
    comment: PersonalText | None


class EvidenceRequested(Event):
    """The manager's assessment opened: the goals service is asked to freeze what the person's goals say."""

    event_type: ClassVar[str] = "trellis.reviews.EvidenceRequested.v1"

    cycle: ReviewCycleId
    person: PersonId
    starts_on: date = Field(description="First day of the cycle: plans that touch its days count.")
    ends_on: date


class GoalEvidenceTaken(Event):
    """The frozen goals arrived: the assessment rests on them, whatever becomes of the goals."""

    event_type: ClassVar[str] = "trellis.reviews.GoalEvidenceTaken.v1"

    goals: tuple[GoalEvidence, ...]
    goals_hash: str = Field(description="The `evidence_hash` of the `GoalEvidenceFrozen` that they came in.")


class ManagerAssessmentSubmitted(Event):
    """The manager rated; evidence and calculation are frozen here, so that nothing drifts afterwards."""

    event_type: ClassVar[str] = "trellis.reviews.ManagerAssessmentSubmitted.v1"

    assessor: PersonId
    ratings: tuple[ItemRating, ...]
    comment: PersonalText | None
    evidence: Evidence
    evidence_hash: str = Field(description="SHA-256 (hex) of the evidence as canonical JSON, numbers as strings.")
    score: Score


class ReviewApproved(Event):
    """A second person, neither the assessor nor the reviewed person, approved the assessment."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewApproved.v1"

    approver: PersonId


class ReviewReleased(Event):
    """The reviewed person may read the assessment from now on."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewReleased.v1"

    releaser: PersonId


class ReviewAcknowledged(Event):
    """The reviewed person has read it; with a comment, or without."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewAcknowledged.v1"

    comment: PersonalText | None


class ReviewCompleted(Event):
    """The review is done: all that rewards and analytics need of it."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCompleted.v1"

    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId = Field(description="Who assessed: the manager of record or, where there is none, one of HR.")
    overall: DecimalString | None = Field(description="2 places, on the scale below; null: not rated.")
    rated: bool
    level: str | None
    scale_minimum: DecimalString
    scale_maximum: DecimalString
    evidence_hash: str
    policy_version: str


class ReviewStepDue(Event):
    """A reminder: the last day on which the step is in time, `due_on`, has begun, and nobody has taken the step.

    `late_seconds` is how long after `due_at`, the beginning of that day in the zone, that was found, 0 within a minute.
    """

    event_type: ClassVar[str] = "trellis.reviews.ReviewStepDue.v1"

    step: ReviewStep
    cycle: ReviewCycleId
    person: PersonId = Field(description="Whose review it is.")
    waits_for: PersonId | None = Field(description="Who is to take the step; null: HR.")
    due_on: date
    zone: ShortText
    due_at: AwareDatetime
    late_seconds: int


class PersonalTextErased(Event):
    """The key of every comment about the person is gone: no copy of them opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.reviews.PersonalTextErased.v1"

    person: PersonId
    by: PersonId


EVENTS: Final[tuple[type[Event], ...]] = (
    ReviewCycleOpened,
    ReviewCycleClosed,
    ReviewOpened,
    SelfAssessmentSubmitted,
    EvidenceRequested,
    GoalEvidenceTaken,
    ManagerAssessmentSubmitted,
    ReviewApproved,
    ReviewReleased,
    ReviewAcknowledged,
    ReviewCompleted,
    ReviewStepDue,
    PersonalTextErased,
)
TYPES: Final = EventTypes.of(EVENTS)
