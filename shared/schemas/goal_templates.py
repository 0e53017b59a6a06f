"""The published language of the goals service: goals that are kept to be given to many."""

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.values import LongText, ShortText


class TemplatedGoal(BaseModel):
    """What each goal says that is set from the template. It speaks of no person, and is in clear."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: ShortText = Field(description="What is to be reached.")
    description: LongText | None = Field(description="What it means in more words; null: no more was said.")
    metric: Metric | None = Field(description="What is measured, and from where to where; null: nothing of its own.")
    values: tuple[ShortText, ...] = Field(
        description="The company's values that the goal stands for, as codes or names."
    )
    competencies: tuple[ShortText, ...] = Field(
        description="The competencies that the goal asks for, as codes or names."
    )
    tags: tuple[ShortText, ...] = Field(description="Free labels to group goals by.")
    visibility: GoalVisibility | None = Field(
        description="Who sees the goals that are set from it; null: as is usual at their level."
    )


class GoalTemplateCreated(Event):
    """A goal is kept in the library, to be given to many. `name` is what it is called there."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateCreated.v1"

    name: ShortText = Field(description="What it is called in the library.")
    goal: TemplatedGoal = Field(description="What each goal says that is set from it.")


class GoalTemplateRewritten(Event):
    """The template says this from now on; goals that were set from it stay as they are."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateRewritten.v1"

    name: ShortText = Field(description="What it is called in the library from now on.")
    goal: TemplatedGoal = Field(description="What each goal says that is set from it from now on.")


class GoalTemplateRetired(Event):
    """The template is given to nobody any more. `reason` is a code."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateRetired.v1"

    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


EVENTS: Final[tuple[type[Event], ...]] = (GoalTemplateCreated, GoalTemplateRewritten, GoalTemplateRetired)
