"""What may change in a goal after it was set: its wording, its target, its dates, and what an agreement holds fast."""

from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString, LongText, ShortText


class GoalRetitled(Event):
    """The goal is called otherwise. `amendment`: the agreed change that this is part of; null where none was needed."""

    event_type: ClassVar[str] = "trellis.goals.GoalRetitled.v1"

    title: PersonalText | ShortText
    amendment: UUID | None = None


class GoalDescribed(Event):
    """What the goal means in more words; null: in none any more. About a person's goal that is personal text."""

    event_type: ClassVar[str] = "trellis.goals.GoalDescribed.v1"

    description: PersonalText | LongText | None


class GoalClassified(Event):
    """The values and competencies that the goal stands for, and its tags: all of them, whatever they were before."""

    event_type: ClassVar[str] = "trellis.goals.GoalClassified.v1"

    values: tuple[ShortText, ...]
    competencies: tuple[ShortText, ...]
    tags: tuple[ShortText, ...]


class GoalVisibilityChosen(Event):
    """Who sees the goal from now on; null: as is usual at its level."""

    event_type: ClassVar[str] = "trellis.goals.GoalVisibilityChosen.v1"

    visibility: GoalVisibility | None


class GoalRetargeted(Event):
    """The goal is to reach something else; the figures are what was measured so far, by the new target."""

    event_type: ClassVar[str] = "trellis.goals.GoalRetargeted.v1"

    metric: Metric
    previous: Metric
    raw_progress: DecimalString | None
    progress: DecimalString | None
    regressed: bool
    amendment: UUID | None = None


class GoalRescheduled(Event):
    """The goal runs at other dates. `amendment`: the agreed change that this is part of, if one was needed."""

    event_type: ClassVar[str] = "trellis.goals.GoalRescheduled.v1"

    starts_on: date
    ends_on: date
    previous_starts_on: date
    previous_ends_on: date
    amendment: UUID | None = None


class GoalLocked(Event):
    """From now on title, target, dates and owner change by an amendment of this agreement alone; progress stays free.

    `agreement` is the goal plan that was agreed, or the agreement on a team's or the organization's goal.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalLocked.v1"

    agreement: UUID


class GoalUnlocked(Event):
    """The goal is no part of the agreement any more."""

    event_type: ClassVar[str] = "trellis.goals.GoalUnlocked.v1"

    agreement: UUID


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalRetitled,
    GoalDescribed,
    GoalClassified,
    GoalVisibilityChosen,
    GoalRetargeted,
    GoalRescheduled,
    GoalLocked,
    GoalUnlocked,
)
