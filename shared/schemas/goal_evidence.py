"""The published language of the goals service: what a person's agreed goals said when a review asked, frozen."""

import operator
from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.canonical import sha256_of
from shared.schemas.event import Event
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId, ReviewId
from shared.schemas.units import Count, InMetricUnit, Ordinal, Percent, Relative
from shared.schemas.values import ShortText


class _Part(BaseModel):
    """A part of an event: frozen, and tolerant to read, as the event is."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FrozenPlan(_Part):
    """An agreed plan of the person that touches the period, as it stood at this version of its stream."""

    plan: GoalPlanId = Field(description="The agreed plan.")
    starts_on: date = Field(description="The first day of its period.")
    ends_on: date = Field(description="The last day of its period.")
    version: Ordinal = Field(description="The number of the plan's last event then.")
    position: Ordinal = Field(description="The position of that event in the log of goals.")


class GoalEvidence(_Part):
    """A goal that an agreed plan weighs, as it stood: its value, its progress, the version and log position.

    Of a goal that is measured by the goals below it, `counted` says how many counted, at any depth, and `counted_hash`
    is the SHA-256 of their list, so that it can be proven without being told.
    """

    goal: GoalId = Field(description="The goal that was looked at.")
    plan: GoalPlanId | None = Field(
        default=None, description="The plan that weighs it.", examples=["0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1e"]
    )
    weight: Percent | None = Field(default=None, description="Percent of the plan.", examples=["40.00"])
    state: ShortText = Field(default="active", examples=["achieved"], description="Where the goal stood in its life.")
    value: InMetricUnit | None = Field(
        default=None, description="In the metric's unit; null: it has no value.", examples=["7"]
    )
    progress: Percent | None = Field(description="0-100; null: never measured.")
    visibility: GoalVisibility | None = Field(
        default=None,
        exclude_if=operator.not_,
        examples=["owner-and-manager"],
        description="Who saw the goal then; left out where it was as is usual at its level.",
    )
    version: Ordinal = Field(description="The number of the goal's last event then.")
    position: Ordinal = Field(description="The position of that event in the log of goals.")
    counted: Count = Field(default=0, description="Goals that its roll-up counted.")
    counted_hash: str | None = Field(
        default=None,
        description="SHA-256 (hex) of their canonical JSON, by id.",
        examples=["c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"],
    )


class CountedGoal(_Part):
    """A goal that counted in the roll-up of its parent, by `weight` among the goals there."""

    goal: GoalId = Field(description="The goal that counted.")
    parent: GoalId = Field(description="The goal whose roll-up it counted in.")
    weight: Relative = Field(description="Its share there, beside its siblings'.")
    progress: Percent = Field(description="What it stood at.")
    version: Ordinal = Field(description="The number of the goal's last event then.")
    position: Ordinal = Field(description="The position of that event in the log of goals.")


class GoalEvidenceFrozen(Event):
    """What a review asked for, answered once: nothing that happens to a goal afterwards moves it.

    `counted` are the goals that the roll-ups counted, by id; where they are more than 2,000 it is left empty, and the
    hashes of `goals` alone prove them. Without an agreed plan, or of somebody unknown, all lists are empty.
    `evidence_hash` is the SHA-256 (hex) of the event's other fields but `counted` as canonical JSON (RFC 8785),
    numbers as strings, fields that have their default left out.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalEvidenceFrozen.v1"

    review: ReviewId = Field(description="The review that asked.")
    person: PersonId = Field(description="Whose goals they are.")
    starts_on: date = Field(description="The first day of the time that was asked about.")
    ends_on: date = Field(description="The last day of the time that was asked about.")
    plans: tuple[FrozenPlan, ...] = Field(description="The agreed plans that touch that time; empty: none.")
    goals: tuple[GoalEvidence, ...] = Field(description="The goals that those plans weigh, as they stood.")
    counted: tuple[CountedGoal, ...] = Field(
        description="The goals that their roll-ups counted, by id; empty where they are more than 2,000."
    )
    evidence_hash: str = Field(description="SHA-256 (hex) of all other fields but `counted`, as canonical JSON.")


_NOT_HASHED: Final = frozenset({"counted", "evidence_hash"})


def counted_hash(counted: Sequence[CountedGoal]) -> str:
    """Of the goals in one roll-up, whatever their order."""
    return sha256_of(sorted(counted, key=lambda one: str(one.goal)))


def frozen_hash(event: GoalEvidenceFrozen) -> str:
    """What its `evidence_hash` must be."""
    fields = [name for name in GoalEvidenceFrozen.model_fields if name not in _NOT_HASHED]
    return sha256_of({name: getattr(event, name) for name in fields})


EVENTS: Final[tuple[type[Event], ...]] = (GoalEvidenceFrozen,)
