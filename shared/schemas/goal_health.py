"""The health of goals, as events carry it: what a person says of it, and that nobody has said how far a goal is."""

from typing import ClassVar, Final

from pydantic import AwareDatetime, Field

from shared.schemas.event import Event
from shared.schemas.personal_text import PersonalText
from shared.schemas.units import Days, Percent, Seconds
from shared.schemas.values import LongText, OpenEnum


class Health(OpenEnum):
    """How a goal is doing, beside how far it is; `expired` is never said, it comes with the calendar."""

    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    OFF_TRACK = "off-track"
    EXPIRED = "expired"


class GoalHealthSet(Event):
    """A person said how the goal is doing, and why; that lapses when progress is recorded next.

    `progress` is what the goal was at then, in percent: of a goal measured by those below it, it lapses when that is
    another. About a person's goal the reason is personal text.
    """

    event_type: ClassVar[str] = "trellis.goals.GoalHealthSet.v1"

    health: Health = Field(description="How the goal is doing, as the person sees it.")
    reason: PersonalText | LongText = Field(description="Why, in words: ciphertext about a person's goal.")
    progress: Percent | None = Field(description="What the goal was at when that was said; null: never measured.")


class UpdateDue(Event):
    """Nobody has said for so many days how far the goal is: once for each such span, until somebody does.

    `stale_since` is the moment that the last measurement speaks of, or the beginning of the goal.
    """

    event_type: ClassVar[str] = "trellis.goals.UpdateDue.v1"

    stale_since: AwareDatetime = Field(
        description="The moment that the last measurement speaks of, or the goal's beginning."
    )
    days: Days = Field(description="How long a goal may go without an update before this is said.")
    due_at: AwareDatetime = Field(description="The moment at which it was due.")
    late_seconds: Seconds = Field(description="How long after `due_at` that was found, 0 within a minute.")


EVENTS: Final[tuple[type[Event], ...]] = (GoalHealthSet, UpdateDue)
