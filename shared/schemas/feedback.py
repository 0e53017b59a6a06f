"""The events of the feedback service: feedback given and acknowledged, check-ins held, personal text erased."""

from datetime import date
from typing import ClassVar, Final

from pydantic import Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import OpenEnum

TOPIC: Final = "feedback.events"


class FeedbackKind(OpenEnum):
    PRAISE = "praise"
    CONSTRUCTIVE = "constructive"
    UPWARD = "upward"


class FeedbackVisibility(OpenEnum):
    """Who may read the text besides its author; `MANAGER` is a private note that its subject never sees."""

    RECEIVER = "receiver"
    RECEIVER_AND_MANAGER = "receiver-and-manager"
    MANAGER = "manager"


class FeedbackGiven(Event):
    """The text speaks of the receiver: erasing the receiver erases it."""

    event_type: ClassVar[str] = "trellis.feedback.FeedbackGiven.v1"

    author: PersonId = Field(description="Who gave the feedback.")
    receiver: PersonId = Field(description="Whom it is for, and whose erasure erases the text.")
    kind: FeedbackKind = Field(description="Praise, constructive advice, or feedback to one's own manager.")
    visibility: FeedbackVisibility = Field(description="Who may read the text besides its author.")
    goal: GoalId | None = Field(description="The goal that it speaks of; null: of none.")
    text: PersonalText = Field(description="What was written, as ciphertext.")


class FeedbackAcknowledged(Event):
    """The receiver has read it."""

    event_type: ClassVar[str] = "trellis.feedback.FeedbackAcknowledged.v1"

    by: PersonId = Field(description="The receiver, who has read it.")


class CheckInHeld(Event):
    """The notes speak of the person; unless `shared`, the manager alone reads them."""

    event_type: ClassVar[str] = "trellis.feedback.CheckInHeld.v1"

    person: PersonId = Field(description="With whom the check-in was held; the notes speak of them.")
    manager: PersonId = Field(description="Who held it.")
    held_on: date = Field(description="The day of the conversation, not that of writing it down.")
    notes: PersonalText | None = Field(description="What was noted, as ciphertext; null: nothing was.")
    shared: bool = Field(description="Whether the person may read the notes too; else the manager alone.")
    goals: tuple[GoalId, ...] = Field(description="The goals that were talked about; empty: none.")


class PersonalTextErased(Event):
    """The key of every text about the person is gone: no copy of those texts opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.feedback.PersonalTextErased.v1"

    person: PersonId = Field(description="Whose key was deleted.")
    by: PersonId = Field(description="Who had it deleted.")


EVENTS: Final[tuple[type[Event], ...]] = (FeedbackGiven, FeedbackAcknowledged, CheckInHeld, PersonalTextErased)
TYPES: Final = EventTypes.of(EVENTS)
