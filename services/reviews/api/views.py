"""What the readers of reviews are shown: a line of a list, a whole review, the explanation of a score."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, Field

from services.reviews.api.hidden_goals import goals_without, ratings_without
from services.reviews.domain.evidence import canonical
from services.reviews.domain.explanation import explained
from services.reviews.domain.score import Scale, normalised
from services.reviews.projections.review_sheet import EvidenceState, ManagerAssessment, ReviewSheet, SelfAssessment
from services.reviews.projections.reviews_by_cycle import ReviewRow
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import GoalId, PersonId, ReviewCycleId, ReviewId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import CyclePolicy, Evidence, ItemRating, SectionScore
from shared.schemas.values import DecimalString

PERCENT: Final = Scale(Decimal(0), Decimal(100))

Opened = Mapping[str, str]
"""Texts in clear by what they were bound to; `erased` for a person who was erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A review before its reader: what they may do with it, and which of its goals they may not see."""

    sheet: ReviewSheet
    actions: list[str]
    assessment_shown: bool
    hidden: AbstractSet[GoalId]


class ReviewLine(BaseModel):
    """A review in a list; what the manager assessed is null until the reader may see it."""

    id: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None = Field(description="Manager of record; null: HR assesses.")
    state: str = Field(examples=["manager-assessed"])
    rated: bool | None
    overall: DecimalString | None
    level: str | None
    version: int
    opened_at: datetime
    changed_at: datetime


class SelfAssessmentView(BaseModel):
    """How the person sees their own work."""

    ratings: Sequence[ItemRating]
    comment: str | None


class ManagerAssessmentView(BaseModel):
    """How the manager rates it; every number of the score: GET /reviews/{review}/explanation."""

    assessor: PersonId
    ratings: Sequence[ItemRating]
    comment: str | None
    rated: bool
    overall: DecimalString | None
    level: str | None
    evidence_hash: str


class ReviewView(BaseModel):
    """A review as its reader may see it; a comment is `erased` once its person was erased."""

    id: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None = Field(description="Manager of record; null: HR assesses.")
    state: str
    version: int
    opened_at: datetime
    changed_at: datetime
    policy: CyclePolicy
    evidence: EvidenceState = Field(description="An assessment needs it frozen.")
    goals: Sequence[GoalEvidence] = Field(description="What the person's agreed goals said when it was frozen.")
    goals_hidden: int = Field(description="Others of these, which the caller may not see, nor what was said of them.")
    self_assessment: SelfAssessmentView | None
    manager_assessment: ManagerAssessmentView | None = Field(
        description="Null until there is one and, for the reviewed person, until it is released."
    )
    approver: PersonId | None
    releaser: PersonId | None
    acknowledgement: str | None = Field(description="What the person said to it.")
    allowed_actions: list[str]


class Explanation(BaseModel):
    """Every number of a score, and how one follows from the other."""

    review: ReviewId
    policy: CyclePolicy
    ratings: Sequence[ItemRating]
    self_ratings: Sequence[ItemRating]
    sections: Sequence[SectionScore]
    coverage: DecimalString
    rated: bool
    overall: DecimalString | None
    level: str | None
    percent_of_scale: DecimalString | None = Field(description="The overall score on a scale of 0 to 100.")
    steps: Sequence[str] = Field(examples=[["goals: (4 * 2 + 5 * 1) / (2 + 1) = 4.333333333333"]])
    evidence: Evidence
    goals_hidden: int = Field(description="Others in it, which the caller may not see, nor how they were rated.")
    evidence_hash: str = Field(description="SHA-256, in hex, of `evidence_text` in UTF-8.")
    evidence_text: str | None = Field(description="Null where goals are hidden.")


def line(row: ReviewRow, *, assessment_shown: bool) -> ReviewLine:
    return ReviewLine(
        id=row.review,
        cycle=row.cycle,
        person=row.person,
        manager=row.manager,
        state=row.state,
        rated=row.rated if assessment_shown else None,
        overall=row.overall if assessment_shown else None,
        level=row.level if assessment_shown else None,
        version=row.version,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
    )


def texts_of(sheet: ReviewSheet, *, assessment_shown: bool) -> list[PersonalText]:
    """The comments that the reader may see."""
    own, given = sheet.self_assessment, sheet.manager_assessment
    comments = [
        own.comment if own else None,
        given.comment if given and assessment_shown else None,
        sheet.acknowledgement,
    ]
    return [comment for comment in comments if comment is not None]


def view(seen: Seen, opened: Opened) -> ReviewView:
    sheet, own = seen.sheet, seen.sheet.self_assessment
    given = sheet.manager_assessment if seen.assessment_shown else None
    return ReviewView(
        id=sheet.review,
        cycle=sheet.cycle,
        person=sheet.person,
        manager=sheet.manager,
        state=sheet.state,
        version=sheet.version,
        opened_at=sheet.opened_at,
        changed_at=sheet.changed_at,
        policy=sheet.policy,
        evidence=sheet.evidence,
        goals=goals_without(sheet.frozen_goals, seen.hidden),
        goals_hidden=len(seen.hidden),
        self_assessment=_self_assessment(own, opened, seen.hidden) if own else None,
        manager_assessment=_assessment(given, opened, seen.hidden) if given else None,
        approver=sheet.approver,
        releaser=sheet.releaser,
        acknowledgement=_clear(sheet.acknowledgement, opened),
        allowed_actions=seen.actions,
    )


def _self_assessment(own: SelfAssessment, opened: Opened, hidden: AbstractSet[GoalId]) -> SelfAssessmentView:
    return SelfAssessmentView(ratings=ratings_without(own.ratings, hidden), comment=_clear(own.comment, opened))


def _assessment(given: ManagerAssessment, opened: Opened, hidden: AbstractSet[GoalId]) -> ManagerAssessmentView:
    return ManagerAssessmentView(
        assessor=given.assessor,
        ratings=ratings_without(given.ratings, hidden),
        comment=_clear(given.comment, opened),
        rated=given.score.rated,
        overall=given.score.overall,
        level=given.score.level,
        evidence_hash=given.evidence_hash,
    )


def _clear(text: PersonalText | None, opened: Opened) -> str | None:
    return None if text is None else opened[text.bound_to]


def explanation(seen: Seen, given: ManagerAssessment) -> Explanation:
    sheet = seen.sheet
    own = sheet.self_assessment.ratings if sheet.self_assessment else ()
    score, policy = given.score, sheet.policy
    scale = Scale(policy.scale_minimum, policy.scale_maximum)
    return Explanation(
        review=sheet.review,
        policy=policy,
        ratings=ratings_without(given.ratings, seen.hidden),
        self_ratings=ratings_without(own, seen.hidden),
        sections=score.sections,
        coverage=score.coverage,
        rated=score.rated,
        overall=score.overall,
        level=score.level,
        percent_of_scale=None if score.overall is None else normalised(score.overall, of=scale, onto=PERCENT),
        steps=explained(policy, score, ratings=given.ratings, self_ratings=own),
        evidence=given.evidence.model_copy(update={"goals": goals_without(given.evidence.goals, seen.hidden)}),
        evidence_hash=given.evidence_hash,
        goals_hidden=len(seen.hidden),
        evidence_text=None if seen.hidden else canonical(given.evidence),
    )
