"""The events of the feedback service: feedback given and acknowledged, check-ins held, personal text erased."""

from datetime import date
from typing import ClassVar, Final

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

    author: PersonId
    receiver: PersonId
    kind: FeedbackKind
    visibility: FeedbackVisibility
    goal: GoalId | None
    text: PersonalText


class FeedbackAcknowledged(Event):
    event_type: ClassVar[str] = "trellis.feedback.FeedbackAcknowledged.v1"

    by: PersonId


class CheckInHeld(Event):
    """The notes speak of the person; unless `shared`, the manager alone reads them."""

    event_type: ClassVar[str] = "trellis.feedback.CheckInHeld.v1"

    person: PersonId
    manager: PersonId
    held_on: date
    notes: PersonalText | None
    shared: bool
    goals: tuple[GoalId, ...]


class PersonalTextErased(Event):
    """The key of every text about the person is gone: no copy of those texts opens any more, wherever it lies."""

    event_type: ClassVar[str] = "trellis.feedback.PersonalTextErased.v1"

    person: PersonId
    by: PersonId


EVENTS: Final[tuple[type[Event], ...]] = (FeedbackGiven, FeedbackAcknowledged, CheckInHeld, PersonalTextErased)
TYPES: Final = EventTypes.of(EVENTS)
