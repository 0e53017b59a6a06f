"""The published language of the goals service: goals that are kept to be given to many."""

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.values import LongText, ShortText


class TemplatedGoal(BaseModel):
    """What each goal says that is set from the template. It speaks of no person, and is in clear."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: ShortText
    description: LongText | None
    metric: Metric | None
    values: tuple[ShortText, ...]
    competencies: tuple[ShortText, ...]
    tags: tuple[ShortText, ...]
    visibility: GoalVisibility | None


class GoalTemplateCreated(Event):
    """A goal is kept in the library, to be given to many. `name` is what it is called there."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateCreated.v1"

    name: ShortText
    goal: TemplatedGoal


class GoalTemplateRewritten(Event):
    """The template says this from now on; goals that were set from it stay as they are."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateRewritten.v1"

    name: ShortText
    goal: TemplatedGoal


class GoalTemplateRetired(Event):
    """The template is given to nobody any more. `reason` is a code."""

    event_type: ClassVar[str] = "trellis.goals.GoalTemplateRetired.v1"

    reason: ShortText


EVENTS: Final[tuple[type[Event], ...]] = (GoalTemplateCreated, GoalTemplateRewritten, GoalTemplateRetired)
