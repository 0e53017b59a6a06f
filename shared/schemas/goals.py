"""The published language of the goals service: goals and their measurement; what its events are in all."""

import operator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.schemas import (
    goal_assignments,
    goal_changes,
    goal_evidence,
    goal_health,
    goal_metrics,
    goal_objectives,
    goal_plans,
    goal_policies,
    goal_templates,
    goal_ties,
    kpis,
)
from shared.schemas.event import Event, EventTypes, Upcaster
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_metrics import MeasuredBy, Metric
from shared.schemas.goal_objectives import Commitment
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.units import Confidence, InMetricUnit, Percent, Relative, Seconds
from shared.schemas.values import LongText, OpenEnum, ShortText

TOPIC: Final = "goals.events"
_BY_HAND: Final = "The weight was said; else all children weigh the same. Left out where false."


class ProgressSource(OpenEnum):
    """Where a measurement came from."""

    MANUAL = "manual"
    INTEGRATION = "integration"
    KPI = "kpi"


class GoalSet(Event):
    """A goal exists. A person's goal has personal texts.

    `weight` is its share in its parent's roll-up, relative to its siblings; contributions sum nothing. `measured_by`
    null: by its metric, or by the goals below it where it has none. `carried_from` is the goal of an earlier
    period that goes on in this one.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalSet.v1"

    level: GoalLevel = Field(description="Whether it is the company's, a team's or one person's goal.")
    owner: PersonId = Field(description="Who answers for it.")
    team: ShortText | None = Field(description="The team that it belongs to; null: none.")
    title: PersonalText | ShortText = Field(
        description="What is to be reached: ciphertext about a person's goal, else in clear."
    )
    metric: Metric | None = Field(description="What is measured, and from where to where; null: nothing of its own.")
    starts_on: date = Field(description="The goal's first day.")
    ends_on: date = Field(description="The goal's last day; it expires when it ends.")
    parent: GoalId | None = Field(description="The goal that it is aligned to; null: it stands at the top.")
    weight: Relative = Field(default=Decimal(1), description="Its share in its parent's roll-up, beside its siblings'.")
    weight_by_hand: bool = Field(default=False, exclude_if=operator.not_, description=_BY_HAND)
    measured_by: MeasuredBy | None = Field(default=None, exclude_if=operator.not_, description="Left out where null.")
    description: PersonalText | LongText | None = Field(
        default=None,
        description="What it means in more words: ciphertext about a person's goal; null: no more was said.",
    )
    values: tuple[ShortText, ...] = Field(
        default=(), description="The company's values that the goal stands for, as codes or names."
    )
    competencies: tuple[ShortText, ...] = Field(
        default=(), description="The competencies that the goal asks for, as codes or names."
    )
    tags: tuple[ShortText, ...] = Field(default=(), description="Free labels to group goals by.")
    contributors: tuple[PersonId, ...] = Field(default=(), description="Who works on it with its owner.")
    contributes_to: tuple[GoalId, ...] = Field(
        default=(), description="Goals besides its parent where it is shown; it sums nothing there."
    )
    visibility: GoalVisibility | None = Field(
        default=None, description="Who sees it, where somebody chose; null: as is usual at its level."
    )
    carried_from: GoalId | None = Field(
        default=None, description="The goal of an earlier period that goes on in this one; null: none."
    )
    objective: Commitment | None = Field(
        default=None,
        exclude_if=operator.not_,
        description="Of an objective, what reaching it means; left out of any other goal.",
    )

    @property
    def source(self) -> MeasuredBy:
        """What its progress comes from."""
        if self.measured_by is None:
            return MeasuredBy.CHILDREN if self.metric is None else MeasuredBy.METRIC
        return self.measured_by


class GoalAligned(Event):
    """A goal was put under another parent, taken from under one, or given another weight there."""

    event_type: ClassVar[str] = "trellis.goals.GoalAligned.v1"

    parent: GoalId | None = Field(description="The goal that it is under from now on; null: under none.")
    previous_parent: GoalId | None = Field(description="The goal that it was under before; null: under none.")
    weight: Relative = Field(default=Decimal(1), description="Its share in its parent's roll-up, beside its siblings'.")
    weight_by_hand: bool = Field(default=False, exclude_if=operator.not_, description=_BY_HAND)


class GoalProgressRecorded(Event):
    """A measurement. `progress` is 0 to 100, capped; `raw_progress` is not; `regressed` is worse than the start.

    `late`: a measurement of a later time was known already, so the goal stands where that one put it. Of bounds to keep
    the progress is the share of the periods measured so far that kept them, which a late measurement changes too.
    `confidence` is how sure the person is to reach the target, from 0 to 10.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalProgressRecorded.v2"

    value: InMetricUnit = Field(description="What was measured.")
    raw_progress: Percent = Field(description="Progress as computed, below 0 and above 100 too.")
    progress: Percent = Field(description="The same from 0 to 100.")
    regressed: bool = Field(description="Whether the value is worse than the start.")
    measured_at: AwareDatetime = Field(
        description="The moment that the measurement speaks of, which may be long before it was recorded."
    )
    source: ProgressSource = Field(
        description="Whether a person typed it in, a program sent it, or a KPI moved the goal."
    )
    late: bool = Field(
        default=False,
        description="Whether a later measurement was known already; the goal stands where that one put it.",
    )
    note: PersonalText | None = Field(default=None, description="What the person added, as ciphertext; null: nothing.")
    confidence: Confidence | None = Field(
        default=None, description="How sure the person is to reach the target; null: not said."
    )


class GoalAchieved(Event):
    """A person closed the goal with its final value; both figures are null where the goal has no metric of its own."""

    event_type: ClassVar[str] = "trellis.goals.GoalAchieved.v1"

    value: InMetricUnit | None = Field(description="The final value; null where the goal has no metric of its own.")
    progress: Percent | None = Field(
        description="Progress at the final value; null where the goal has no metric of its own."
    )
    closed_on: date = Field(description="The day on which it was closed.")
    comment: PersonalText | None = Field(
        default=None, description="What the person added, as ciphertext; null: nothing."
    )


class GoalMissed(Event):
    """A person closed the goal with its final value: it was not reached."""

    event_type: ClassVar[str] = "trellis.goals.GoalMissed.v1"

    value: InMetricUnit | None = Field(description="The final value; null where the goal has no metric of its own.")
    progress: Percent | None = Field(
        description="Progress at the final value; null where the goal has no metric of its own."
    )
    closed_on: date = Field(description="The day on which it was closed.")
    comment: PersonalText | None = Field(
        default=None, description="What the person added, as ciphertext; null: nothing."
    )


class GoalCancelled(Event):
    """The goal no longer counts; `reason` is a code and speaks of no person."""

    event_type: ClassVar[str] = "trellis.goals.GoalCancelled.v1"

    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")
    comment: PersonalText | None = Field(
        default=None, description="What the person added, as ciphertext; null: nothing."
    )
    amendment: UUID | None = Field(
        default=None, description="The agreed change that this is part of; null where none was needed."
    )


class GoalReopened(Event):
    """A closed goal is open again, as it was before it was closed; `reason` is a code and speaks of no person.

    `ends_on` is its last day, as ever: it expires then. `value` is the last one recorded, before it was closed.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalReopened.v1"

    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")
    ends_on: date = Field(description="The goal's last day, as before it was closed; it expires then.")
    value: InMetricUnit | None = Field(description="The last value before it was closed; null: none.")
    progress: Percent | None = Field(description="Progress at that value; null: none.")
    comment: PersonalText | None = Field(
        default=None, description="What the person added, as ciphertext; null: nothing."
    )


class GoalExpired(Event):
    """The goal's last day, `ended_on`, has passed in the zone; it is neither achieved nor cancelled and may still be.

    `late_seconds` is how long after `due_at` that was found, 0 within a minute.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalExpired.v1"

    ended_on: date = Field(description="The goal's last day, which is over.")
    zone: ShortText = Field(description="The IANA time zone whose calendar counts.")
    due_at: AwareDatetime = Field(description="The moment at which that day ended in the zone.")
    late_seconds: Seconds = Field(description="How long after `due_at` that was found; 0 within a minute.")


class PersonalTextErased(Event):
    """The key of every goal title about the person is gone: no copy of it opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.goals.PersonalTextErased.v1"

    person: PersonId = Field(description="Whose key was deleted.")
    by: PersonId = Field(description="Who had it deleted.")


def _with_manual_source(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had no source: every measurement was typed in by a person."""
    return {**data, "source": ProgressSource.MANUAL}


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalSet,
    GoalAligned,
    GoalProgressRecorded,
    GoalAchieved,
    GoalMissed,
    GoalCancelled,
    GoalReopened,
    GoalExpired,
    PersonalTextErased,
    *goal_changes.EVENTS,
    *goal_plans.EVENTS,
    *goal_ties.EVENTS,
    *goal_health.EVENTS,
    *goal_policies.EVENTS,
    *goal_metrics.EVENTS,
    *goal_evidence.EVENTS,
    *goal_objectives.EVENTS,
    *kpis.EVENTS,
    *goal_templates.EVENTS,
    *goal_assignments.EVENTS,
)
UPCASTERS: Final = (Upcaster("trellis.goals.GoalProgressRecorded.v1", GoalProgressRecorded, _with_manual_source),)
TYPES: Final = EventTypes.of(EVENTS, UPCASTERS)
