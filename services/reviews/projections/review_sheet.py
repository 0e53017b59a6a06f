"""What does one review say: its form, both assessments, and every number of the score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.projections.review_state import STATE_AFTER
from services.reviews.projections.rows import Row, change_rows
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.identifiers import PersonId, ReviewCycleId, ReviewId
from shared.schemas.personal_text import PersonalText
from shared.schemas.reviews import (
    TOPIC,
    CyclePolicy,
    Evidence,
    EvidenceRequested,
    GoalEvidenceTaken,
    ItemRating,
    ManagerAssessmentSubmitted,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewOpened,
    ReviewReleased,
    ReviewStepDue,
    Score,
    SelfAssessmentSubmitted,
)

SHEETS: Final = Table(
    "review_sheets",
    MetaData(),
    Column("review", Uuid, primary_key=True),
    Column("cycle", Uuid, nullable=False),
    Column("person", Uuid, nullable=False),
    Column("manager", Uuid),
    Column("policy", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("self_ratings", JSONB(none_as_null=True)),
    Column("self_comment", JSONB(none_as_null=True)),
    Column("assessor", Uuid),
    Column("ratings", JSONB(none_as_null=True)),
    Column("comment", JSONB(none_as_null=True)),
    Column("evidence_asked", Boolean, nullable=False, comment="of the goals service, when the assessment opened"),
    Column("frozen_goals", JSONB(none_as_null=True), comment="its answer"),
    Column("evidence", JSONB(none_as_null=True)),
    Column("evidence_hash", Text),
    Column("score", JSONB(none_as_null=True)),
    Column("approver", Uuid),
    Column("releaser", Uuid),
    Column("acknowledgement", JSONB(none_as_null=True)),
)
"""Comments are kept as they were published: as ciphertext."""


class EvidenceState(StrEnum):
    """How far the evidence is; an assessment needs it frozen."""

    NOT_REQUESTED = "not-requested"
    REQUESTED = "requested"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfAssessment:
    ratings: tuple[ItemRating, ...]
    comment: PersonalText | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerAssessment:
    assessor: PersonId
    ratings: tuple[ItemRating, ...]
    comment: PersonalText | None
    evidence: Evidence
    evidence_hash: str
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSheet:
    """A review with all that was said in it so far."""

    review: ReviewId
    cycle: ReviewCycleId
    person: PersonId
    manager: PersonId | None
    policy: CyclePolicy
    state: str
    version: int
    opened_at: datetime
    changed_at: datetime
    evidence: EvidenceState
    frozen_goals: tuple[GoalEvidence, ...]
    self_assessment: SelfAssessment | None
    manager_assessment: ManagerAssessment | None
    approver: PersonId | None
    releaser: PersonId | None
    acknowledgement: PersonalText | None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    await change_rows(connection, SHEETS, events, _change)


def _change(recorded: Recorded) -> Row:
    event, at = recorded.event, recorded.envelope.time
    if isinstance(event, ReviewStepDue | EvidenceRequested | GoalEvidenceTaken):
        return {"changed_at": at, **_said(event)}
    if type(event) not in STATE_AFTER:
        return {}
    step: Row = {"state": STATE_AFTER[type(event)], "changed_at": at}
    return step | ({"opened_at": at} if isinstance(event, ReviewOpened) else {}) | _said(event)


def _said(event: object) -> Row:
    """The columns that the event fills."""
    match event:
        case ReviewOpened():
            keys = {"cycle": event.cycle, "person": event.person, "manager": event.manager}
            return {**keys, "policy": _json(event.policy), "evidence_asked": False}
        case EvidenceRequested():
            return {"evidence_asked": True}
        case GoalEvidenceTaken():
            return {"frozen_goals": _all_json(event.goals)}
        case SelfAssessmentSubmitted():
            return {"self_ratings": _all_json(event.ratings), "self_comment": _json(event.comment)}
        case ManagerAssessmentSubmitted():
            form = {"ratings": _all_json(event.ratings), "comment": _json(event.comment), "score": _json(event.score)}
            proof = {"evidence": _json(event.evidence), "evidence_hash": event.evidence_hash}
            return {"assessor": event.assessor, **form, **proof}
        case ReviewApproved():
            return {"approver": event.approver}
        case ReviewReleased():
            return {"releaser": event.releaser}
        case ReviewAcknowledged():
            return {"acknowledgement": _json(event.comment)}
        case _:
            return {}


def _json(model: BaseModel | None) -> Any:
    return None if model is None else model.model_dump(mode="json")


def _all_json(models: Sequence[BaseModel]) -> list[Any]:
    return [model.model_dump(mode="json") for model in models]


async def find(connection: AsyncConnection, review: ReviewId) -> ReviewSheet | None:
    """The review; None: there is no such review (yet)."""
    row = (await connection.execute(select(SHEETS).where(SHEETS.c.review == review))).mappings().one_or_none()
    return None if row is None else _sheet(dict(row))


def _sheet(row: dict[str, Any]) -> ReviewSheet:
    return ReviewSheet(
        **{name: row[name] for name in _AS_STORED},
        policy=CyclePolicy.model_validate(row["policy"]),
        evidence=_evidence_state(row),
        frozen_goals=_GOALS.validate_python(row["frozen_goals"] or ()),
        self_assessment=_self_assessment(row),
        manager_assessment=_manager_assessment(row),
        acknowledgement=_read(PersonalText, row["acknowledgement"]),
    )


def _evidence_state(row: dict[str, Any]) -> EvidenceState:
    if row["frozen_goals"] is not None:
        return EvidenceState.FROZEN
    return EvidenceState.REQUESTED if row["evidence_asked"] else EvidenceState.NOT_REQUESTED


def _self_assessment(row: dict[str, Any]) -> SelfAssessment | None:
    if row["self_ratings"] is None:
        return None
    comment = _read(PersonalText, row["self_comment"])
    return SelfAssessment(ratings=_RATINGS.validate_python(row["self_ratings"]), comment=comment)


def _manager_assessment(row: dict[str, Any]) -> ManagerAssessment | None:
    if row["assessor"] is None:
        return None
    return ManagerAssessment(
        assessor=row["assessor"],
        ratings=_RATINGS.validate_python(row["ratings"]),
        comment=_read(PersonalText, row["comment"]),
        evidence=Evidence.model_validate(row["evidence"]),
        evidence_hash=row["evidence_hash"],
        score=Score.model_validate(row["score"]),
    )


Model = TypeVar("Model", bound=BaseModel)


def _read(model: type[Model], value: Any) -> Model | None:
    return None if value is None else model.model_validate(value)


_RATINGS: Final = TypeAdapter(tuple[ItemRating, ...])
_GOALS: Final = TypeAdapter(tuple[GoalEvidence, ...])
_AS_STORED: Final = (
    "review",
    "cycle",
    "person",
    "manager",
    "state",
    "version",
    "opened_at",
    "changed_at",
    "approver",
    "releaser",
)
PROJECTION: Final = Projection(name="review_sheet", version=2, topics=(TOPIC,), tables=(SHEETS,), apply=apply)
