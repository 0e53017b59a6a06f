"""The published language of the goals service: what a person's agreed goals said when a review asked, frozen."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.canonical import sha256_of
from shared.schemas.event import Event
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId, ReviewId
from shared.schemas.values import DecimalString, ShortText


class _Part(BaseModel):
    """A part of an event: frozen, and tolerant to read, as the event is."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FrozenPlan(_Part):
    """An agreed plan of the person that touches the period, as it stood at this version of its stream."""

    plan: GoalPlanId
    starts_on: date
    ends_on: date
    version: int
    position: int


class GoalEvidence(_Part):
    """A goal that an agreed plan weighs, as it stood: its value, its progress, the version and log position.

    Of a goal that is measured by the goals below it, `counted` says how many counted, at any depth, and `counted_hash`
    is the SHA-256 of their list, so that it can be proven without being told.
    """

    goal: GoalId
    plan: GoalPlanId | None = Field(default=None, description="The plan that weighs it.")
    weight: DecimalString | None = Field(default=None, description="Percent of the plan.")
    state: ShortText = Field(default="active", examples=["achieved"])
    value: DecimalString | None = Field(default=None, description="In the metric's unit; null: it has no value.")
    progress: DecimalString | None = Field(description="0-100; null: never measured.")
    version: int
    position: int
    counted: int = Field(default=0, description="Goals that its roll-up counted.")
    counted_hash: str | None = Field(default=None, description="SHA-256 (hex) of their canonical JSON, by id.")


class CountedGoal(_Part):
    """A goal that counted in the roll-up of its parent, by `weight` among the goals there."""

    goal: GoalId
    parent: GoalId
    weight: DecimalString
    progress: DecimalString
    version: int
    position: int


class GoalEvidenceFrozen(Event):
    """What a review asked for, answered once: nothing that happens to a goal afterwards moves it.

    `counted` are the goals that the roll-ups counted, by id; where they are more than 2,000 it is left empty, and the
    hashes of `goals` alone prove them. Without an agreed plan, or of somebody unknown, all lists are empty.
    `evidence_hash` is the SHA-256 (hex) of the event's other fields but `counted` as canonical JSON (RFC 8785),
    numbers as strings, fields that have their default left out.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalEvidenceFrozen.v1"

    review: ReviewId
    person: PersonId
    starts_on: date
    ends_on: date
    plans: tuple[FrozenPlan, ...]
    goals: tuple[GoalEvidence, ...]
    counted: tuple[CountedGoal, ...]
    evidence_hash: str


_NOT_HASHED: Final = frozenset({"counted", "evidence_hash"})


def counted_hash(counted: Sequence[CountedGoal]) -> str:
    """Of the goals in one roll-up, whatever their order."""
    return sha256_of(sorted(counted, key=lambda one: str(one.goal)))


def frozen_hash(event: GoalEvidenceFrozen) -> str:
    """What its `evidence_hash` must be."""
    fields = [name for name in GoalEvidenceFrozen.model_fields if name not in _NOT_HASHED]
    return sha256_of({name: getattr(event, name) for name in fields})


EVENTS: Final[tuple[type[Event], ...]] = (GoalEvidenceFrozen,)
