"""The published language of the goals service: goals and their measurement; what its events are in all."""

import operator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.schemas import (
    goal_changes,
    goal_evidence,
    goal_health,
    goal_metrics,
    goal_plans,
    goal_policies,
    goal_templates,
    goal_ties,
    kpis,
)
from shared.schemas.event import Event, EventTypes, Upcaster
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.goal_metrics import MeasuredBy, Metric
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, LongText, OpenEnum, ShortText

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

    level: GoalLevel
    owner: PersonId
    team: ShortText | None
    title: PersonalText | ShortText
    metric: Metric | None
    starts_on: date
    ends_on: date
    parent: GoalId | None
    weight: DecimalString = Decimal(1)
    weight_by_hand: bool = Field(default=False, exclude_if=operator.not_, description=_BY_HAND)
    measured_by: MeasuredBy | None = Field(default=None, exclude_if=operator.not_, description="Left out where null.")
    description: PersonalText | LongText | None = None
    values: tuple[ShortText, ...] = ()
    competencies: tuple[ShortText, ...] = ()
    tags: tuple[ShortText, ...] = ()
    contributors: tuple[PersonId, ...] = ()
    contributes_to: tuple[GoalId, ...] = ()
    visibility: GoalVisibility | None = None
    carried_from: GoalId | None = None

    @property
    def source(self) -> MeasuredBy:
        """What its progress comes from."""
        if self.measured_by is None:
            return MeasuredBy.CHILDREN if self.metric is None else MeasuredBy.METRIC
        return self.measured_by


class GoalAligned(Event):
    """A goal was put under another parent, taken from under one, or given another weight there."""

    event_type: ClassVar[str] = "trellis.goals.GoalAligned.v1"

    parent: GoalId | None
    previous_parent: GoalId | None
    weight: DecimalString = Decimal(1)
    weight_by_hand: bool = Field(default=False, exclude_if=operator.not_, description=_BY_HAND)


class GoalProgressRecorded(Event):
    """A measurement. `progress` is 0 to 100, capped; `raw_progress` is not; `regressed` is worse than the start.

    `late`: a measurement of a later time was known already, so the goal stands where that one put it. Of bounds to keep
    the progress is the share of the periods measured so far that kept them, which a late measurement changes too.
    `confidence` is how sure the person is to reach the target, from 0 to 10.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalProgressRecorded.v2"

    value: DecimalString
    raw_progress: DecimalString
    progress: DecimalString
    regressed: bool
    measured_at: AwareDatetime
    source: ProgressSource
    late: bool = False
    note: PersonalText | None = None
    confidence: int | None = None


class GoalAchieved(Event):
    """A person closed the goal with its final value; both figures are null where the goal has no metric of its own."""

    event_type: ClassVar[str] = "trellis.goals.GoalAchieved.v1"

    value: DecimalString | None
    progress: DecimalString | None
    closed_on: date
    comment: PersonalText | None = None


class GoalMissed(Event):
    """A person closed the goal with its final value: it was not reached."""

    event_type: ClassVar[str] = "trellis.goals.GoalMissed.v1"

    value: DecimalString | None
    progress: DecimalString | None
    closed_on: date
    comment: PersonalText | None = None


class GoalCancelled(Event):
    """The goal no longer counts; `reason` is a code and speaks of no person."""

    event_type: ClassVar[str] = "trellis.goals.GoalCancelled.v1"

    reason: ShortText
    comment: PersonalText | None = None
    amendment: UUID | None = None


class GoalReopened(Event):
    """A closed goal is open again, as it was before it was closed; `reason` is a code and speaks of no person.

    `ends_on` is its last day, as ever: it expires then. `value` is the last one recorded, before it was closed.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalReopened.v1"

    reason: ShortText
    ends_on: date
    value: DecimalString | None
    progress: DecimalString | None
    comment: PersonalText | None = None


class GoalExpired(Event):
    """The goal's last day, `ended_on`, has passed in the zone; it is neither achieved nor cancelled and may still be.

    `late_seconds` is how long after `due_at` that was found, 0 within a minute.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalExpired.v1"

    ended_on: date
    zone: ShortText
    due_at: AwareDatetime
    late_seconds: int


class PersonalTextErased(Event):
    """The key of every goal title about the person is gone: no copy of it opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.goals.PersonalTextErased.v1"

    person: PersonId
    by: PersonId


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
    *kpis.EVENTS,
    *goal_templates.EVENTS,
)
UPCASTERS: Final = (Upcaster("trellis.goals.GoalProgressRecorded.v1", GoalProgressRecorded, _with_manual_source),)
TYPES: Final = EventTypes.of(EVENTS, UPCASTERS)
