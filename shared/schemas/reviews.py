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
from shared.schemas.units import OnScale, People, Percent, Relative, Seconds
from shared.schemas.values import OpenEnum, ShortText

TOPIC: Final = "reviews.events"


class _Part(BaseModel):
    """A part of an event: frozen, and tolerant to read, as the event is."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CycleSection(_Part):
    """A section of the review form; the weights of a policy's sections total 100."""

    name: str = Field(examples=["goals"], description="The section's code.")
    weight: Percent = Field(examples=["60"], description="Its share of the score; those of a policy total 100.")


class RatingLevel(_Part):
    """A named band of the scale: overall scores from `minimum` up to the next level's."""

    name: str = Field(examples=["exceeds-expectations"], description="The level's code.")
    minimum: OnScale = Field(
        examples=["4.00"], description="The lowest overall score of the level; it reaches up to the next level's."
    )


class ReviewStep(OpenEnum):
    """A step that can have a deadline."""

    SELF_ASSESSMENT = "self-assessment"
    MANAGER_ASSESSMENT = "manager-assessment"


class StepDeadlines(_Part):
    """The last day on which a step is in time, by the calendar of `zone`; null: the step has no deadline."""

    self_assessment: date | None = Field(
        default=None,
        description="The last day of the self assessment; null: it has no deadline.",
        examples=["2026-12-11"],
    )
    manager_assessment: date | None = Field(
        default=None, description="The last day of the manager's assessment; null: it has no deadline."
    )
    zone: str = Field(examples=["Europe/Berlin"], description="IANA time zone.")


def _is_none(value: object) -> bool:
    return value is None


class CyclePolicy(_Part):
    """The rules of one cycle, as versioned data; every review keeps the policy that it was opened under."""

    version: str = Field(
        examples=["enterprise-1"], description="The policy's name and number; reviews and rewards name it."
    )
    scale_minimum: OnScale = Field(examples=["1"], description="The lowest rating.")
    scale_maximum: OnScale = Field(examples=["5"], description="The highest rating.")
    sections: tuple[CycleSection, ...] = Field(description="The parts of the form, and what each counts.")
    minimum_coverage: Percent = Field(
        default=Decimal(60), description="Percent of the sections' weight that must be rated; below it: not rated."
    )
    self_weight: Relative = Field(
        default=Decimal(0), description="What a self rating weighs beside the manager's, which weighs 1."
    )
    levels: tuple[RatingLevel, ...] = Field(
        default=(), description="The named bands of the scale, ascending; empty: scores have no names."
    )
    deadlines: StepDeadlines | None = Field(
        default=None, exclude_if=_is_none, description="Left out of a policy without deadlines."
    )


class ItemRating(_Part):
    """One rated line of the form; `rating` None says that it could not be rated, which is never zero."""

    section: str = Field(examples=["goals"], description="The section that it belongs to.")
    item: str = Field(examples=["delivery"], description="A competency's code or a goal's id.")
    weight: Relative = Field(default=Decimal(1), description="Weight within the section; 0 is allowed.")
    rating: OnScale | None = Field(examples=["4"], description="On the policy's scale; null: not rated.")


class Evidence(_Part):
    """What lay before the assessor: ids and numbers alone, sorted by id, so that it can be hashed and proven.

    `goals` are as the goals service froze them; `goals_hash` is the `evidence_hash` of its `GoalEvidenceFrozen`.
    """

    goals: tuple[GoalEvidence, ...] = Field(description="The person's goals as they stood.")
    feedback: tuple[FeedbackId, ...] = Field(description="The feedback that lay before the assessor.")
    goals_hash: str | None = Field(
        default=None,
        description="The `evidence_hash` of the `GoalEvidenceFrozen` that the goals came in; null: of an older review.",
        examples=["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
    )


class SectionScore(_Part):
    """A section's calculation: rating = weighted_sum / weight_sum, shown with at most 12 places, never used rounded."""

    name: str = Field(description="The section's code.")
    weight: Percent = Field(description="Its share of the score.")
    weighted_sum: OnScale = Field(description="Sum of rating * weight over the rated items.")
    weight_sum: Relative = Field(description="Sum of weight over the rated items; 0: the section is not rated.")
    rating: OnScale | None = Field(description="weighted_sum / weight_sum; null: the section is not rated.")
    self_rating: OnScale | None = Field(description="The same over the person's own ratings.")
    gap: OnScale | None = Field(description="self_rating minus the same over the assessor's ratings alone.")


class Score(_Part):
    """overall = sum(rating * weight) / sum(weight) over the rated sections, rounded half-up once, to 2 places."""

    sections: tuple[SectionScore, ...] = Field(description="The calculation, section by section.")
    coverage: Percent = Field(description="Percent of the sections' weight that is rated.")
    rated: bool = Field(description="False: the coverage is below the policy's minimum, or nothing is rated.")
    overall: OnScale | None = Field(description="The score, 2 places; null: not rated.")
    level: str | None = Field(
        description="The code of the level it falls in; null: not rated, or the policy has no levels."
    )


class ReviewCycleOpened(Event):
    """A cycle began; `population` is the number of people it was opened over."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCycleOpened.v1"

    name: ShortText = Field(description="What the cycle is called.")
    starts_on: date = Field(description="The first day of the time that is reviewed.")
    ends_on: date = Field(description="The last day of the time that is reviewed.")
    policy: CyclePolicy = Field(description="The rules that every review of the cycle keeps.")
    population: People = Field(description="How many people it was opened over.")


class ReviewCycleClosed(Event):
    """A cycle ended: nothing in it can be changed any more."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCycleClosed.v1"

    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class ReviewOpened(Event):
    """A person's review in a cycle began."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewOpened.v1"

    cycle: ReviewCycleId = Field(description="The cycle that it belongs to.")
    person: PersonId = Field(description="Whose review it is.")
    manager: PersonId | None = Field(description="Manager of record, who assesses; null: HR assesses.")
    policy: CyclePolicy = Field(description="The rules that it is assessed and scored by.")


class SelfAssessmentSubmitted(Event):
    """The person said how they see their own work."""

    event_type: ClassVar[str] = "trellis.reviews.SelfAssessmentSubmitted.v1"

    ratings: tuple[ItemRating, ...] = Field(description="How the person rated themselves, line by line.")
    comment: PersonalText | None = Field(description="What they wrote, as ciphertext; null: nothing.")


class EvidenceRequested(Event):
    """The manager's assessment opened: the goals service is asked to freeze what the person's goals say."""

    event_type: ClassVar[str] = "trellis.reviews.EvidenceRequested.v1"

    cycle: ReviewCycleId = Field(description="The cycle that the review belongs to.")
    person: PersonId = Field(description="Whose goals are asked for.")
    starts_on: date = Field(description="First day of the cycle: plans that touch its days count.")
    ends_on: date = Field(description="Last day of the cycle.")


class GoalEvidenceTaken(Event):
    """The frozen goals arrived: the assessment rests on them, whatever becomes of the goals."""

    event_type: ClassVar[str] = "trellis.reviews.GoalEvidenceTaken.v1"

    goals: tuple[GoalEvidence, ...] = Field(description="The goals as the goals service froze them.")
    goals_hash: str = Field(description="The `evidence_hash` of the `GoalEvidenceFrozen` that they came in.")


class ManagerAssessmentSubmitted(Event):
    """The manager rated; evidence and calculation are frozen here, so that nothing drifts afterwards."""

    event_type: ClassVar[str] = "trellis.reviews.ManagerAssessmentSubmitted.v1"

    assessor: PersonId = Field(description="Who assessed.")
    ratings: tuple[ItemRating, ...] = Field(description="How they rated, line by line.")
    comment: PersonalText | None = Field(description="What they wrote, as ciphertext; null: nothing.")
    evidence: Evidence = Field(description="What lay before them.")
    evidence_hash: str = Field(description="SHA-256 (hex) of the evidence as canonical JSON, numbers as strings.")
    score: Score = Field(description="What the ratings come to.")


class ReviewApproved(Event):
    """A second person, neither the assessor nor the reviewed person, approved the assessment."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewApproved.v1"

    approver: PersonId = Field(description="Who approved it: neither the assessor nor the reviewed person.")


class ReviewReleased(Event):
    """The reviewed person may read the assessment from now on."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewReleased.v1"

    releaser: PersonId = Field(description="Who released it.")


class ReviewAcknowledged(Event):
    """The reviewed person has read it; with a comment, or without."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewAcknowledged.v1"

    comment: PersonalText | None = Field(description="What the person wrote, as ciphertext; null: nothing.")


class ReviewCompleted(Event):
    """The review is done: all that rewards and analytics need of it."""

    event_type: ClassVar[str] = "trellis.reviews.ReviewCompleted.v1"

    cycle: ReviewCycleId = Field(description="The cycle that it belongs to.")
    person: PersonId = Field(description="Whose review it was.")
    manager: PersonId = Field(description="Who assessed: the manager of record or, where there is none, one of HR.")
    overall: OnScale | None = Field(description="2 places, on the scale below; null: not rated.")
    rated: bool = Field(description="Whether there is a score at all.")
    level: str | None = Field(description="The code of the level that the score falls in; null: none.")
    scale_minimum: OnScale = Field(description="The lowest rating there could be.")
    scale_maximum: OnScale = Field(description="The highest rating there could be.")
    evidence_hash: str = Field(description="SHA-256 (hex) of the evidence, as the assessment has it.")
    policy_version: str = Field(description="The policy that it was scored by.")


class ReviewStepDue(Event):
    """A reminder: the last day on which the step is in time, `due_on`, has begun, and nobody has taken the step.

    `late_seconds` is how long after `due_at`, the beginning of that day in the zone, that was found, 0 within a minute.
    """

    event_type: ClassVar[str] = "trellis.reviews.ReviewStepDue.v1"

    step: ReviewStep = Field(description="The step that nobody has taken.")
    cycle: ReviewCycleId = Field(description="The cycle that the review belongs to.")
    person: PersonId = Field(description="Whose review it is.")
    waits_for: PersonId | None = Field(description="Who is to take the step; null: HR.")
    due_on: date = Field(description="The last day on which the step is in time.")
    zone: ShortText = Field(description="The IANA time zone whose calendar counts.")
    due_at: AwareDatetime = Field(description="The beginning of that day in the zone.")
    late_seconds: Seconds = Field(description="How long after `due_at` that was found; 0 within a minute.")


class PersonalTextErased(Event):
    """The key of every comment about the person is gone: no copy of them opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.reviews.PersonalTextErased.v1"

    person: PersonId = Field(description="Whose key was deleted.")
    by: PersonId = Field(description="Who had it deleted.")


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
