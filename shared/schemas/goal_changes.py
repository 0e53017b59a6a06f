"""What may change in a goal after it was set: its wording, its target, its dates, and what an agreement holds fast."""

from datetime import date
from typing import ClassVar, Final
from uuid import UUID

from pydantic import Field

from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.personal_text import PersonalText
from shared.schemas.units import Percent
from shared.schemas.values import LongText, ShortText


class GoalRetitled(Event):
    """The goal is called otherwise. `amendment`: the agreed change that this is part of; null where none was needed."""

    event_type: ClassVar[str] = "trellis.goals.GoalRetitled.v1"

    title: PersonalText | ShortText = Field(
        description="The new title: ciphertext about a person's goal, else in clear."
    )
    amendment: UUID | None = Field(
        default=None, description="The agreed change that this is part of; null where none was needed."
    )


class GoalDescribed(Event):
    """What the goal means in more words; null: in none any more. About a person's goal that is personal text."""

    event_type: ClassVar[str] = "trellis.goals.GoalDescribed.v1"

    description: PersonalText | LongText | None = Field(
        description="The whole new description: ciphertext about a person's goal; null: none any more."
    )


class GoalClassified(Event):
    """The values and competencies that the goal stands for, and its tags: all of them, whatever they were before."""

    event_type: ClassVar[str] = "trellis.goals.GoalClassified.v1"

    values: tuple[ShortText, ...] = Field(
        description="The company's values that the goal stands for, as codes or names."
    )
    competencies: tuple[ShortText, ...] = Field(
        description="The competencies that the goal asks for, as codes or names."
    )
    tags: tuple[ShortText, ...] = Field(description="Free labels to group goals by.")


class GoalVisibilityChosen(Event):
    """Who sees the goal from now on; null: as is usual at its level."""

    event_type: ClassVar[str] = "trellis.goals.GoalVisibilityChosen.v1"

    visibility: GoalVisibility | None = Field(
        description="Who sees the goal from now on; null: as is usual at its level."
    )


class GoalRetargeted(Event):
    """The goal is to reach something else; the figures are what was measured so far, by the new target."""

    event_type: ClassVar[str] = "trellis.goals.GoalRetargeted.v1"

    metric: Metric = Field(description="What is measured from now on, and from where to where.")
    previous: Metric = Field(description="What was measured before.")
    raw_progress: Percent | None = Field(
        description="Progress by the new target, below 0 and above 100 too; null: never measured."
    )
    progress: Percent | None = Field(description="Progress by the new target, from 0 to 100; null: never measured.")
    regressed: bool = Field(description="Whether the last value is worse than the new start.")
    amendment: UUID | None = Field(
        default=None, description="The agreed change that this is part of; null where none was needed."
    )


class GoalRescheduled(Event):
    """The goal runs at other dates. `amendment`: the agreed change that this is part of, if one was needed."""

    event_type: ClassVar[str] = "trellis.goals.GoalRescheduled.v1"

    starts_on: date = Field(description="The new first day.")
    ends_on: date = Field(description="The new last day; the goal expires when it ends.")
    previous_starts_on: date = Field(description="The first day before.")
    previous_ends_on: date = Field(description="The last day before.")
    amendment: UUID | None = Field(
        default=None, description="The agreed change that this is part of; null where none was needed."
    )


class GoalLocked(Event):
    """From now on title, target, dates and owner change by an amendment of this agreement alone; progress stays free.

    `agreement` is the goal plan that was agreed, or the agreement on a team's or the organization's goal.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalLocked.v1"

    agreement: UUID = Field(
        description="The goal plan, or the agreement on a team's or the organization's goal, that holds the goal."
    )


class GoalUnlocked(Event):
    """The goal is no part of the agreement any more."""

    event_type: ClassVar[str] = "trellis.goals.GoalUnlocked.v1"

    agreement: UUID = Field(description="The agreement that holds the goal no more.")


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
