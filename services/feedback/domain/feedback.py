"""Feedback: given to somebody else, readable as its visibility says, acknowledged once by its receiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.feedback import FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import Known, LongText

READABLE_BY_RECEIVER: Final = frozenset({FeedbackVisibility.RECEIVER, FeedbackVisibility.RECEIVER_AND_MANAGER})
READABLE_BY_MANAGER: Final = frozenset({FeedbackVisibility.RECEIVER_AND_MANAGER, FeedbackVisibility.MANAGER})
"""The visibilities under which a manager in the receiver's reporting line reads; unknown ones are nobody's."""


class GiveFeedbackBody(RequestBody):
    receiver: PersonId = Field(examples=["0199a1b2-0000-7000-8000-000000000103"])
    kind: Known[FeedbackKind] = Field(examples=["praise"])
    visibility: Known[FeedbackVisibility] = Field(
        examples=["receiver-and-manager"], description="Who may read the text besides its author."
    )
    goal: GoalId | None = Field(default=None, description="The goal that the feedback is about.")
    text: LongText = Field(examples=["You explained the outage to the customer calmly."])


class GiveFeedback(GiveFeedbackBody, Command):
    receiver_is_known: bool
    """Whether people.events has spoken of the receiver, as the handler read it."""


class AcknowledgeFeedback(Command):
    """Nothing to say but who and when."""


FeedbackCommand = GiveFeedback | AcknowledgeFeedback
FeedbackEvent = FeedbackGiven | FeedbackAcknowledged


@dataclass(frozen=True, slots=True)
class NotGiven: ...


@dataclass(frozen=True, slots=True)
class Given:
    author: PersonId
    receiver: PersonId
    visibility: FeedbackVisibility


@dataclass(frozen=True, slots=True)
class Acknowledged:
    author: PersonId
    receiver: PersonId
    visibility: FeedbackVisibility


Feedback = NotGiven | Given | Acknowledged


def evolve(feedback: Feedback, event: FeedbackEvent) -> Feedback:
    match event:
        case FeedbackGiven():
            return Given(author=event.author, receiver=event.receiver, visibility=event.visibility)
        case FeedbackAcknowledged() if isinstance(feedback, Given):
            return Acknowledged(author=feedback.author, receiver=feedback.receiver, visibility=feedback.visibility)
        case _:
            return feedback


def decide(feedback: Feedback, command: FeedbackCommand) -> Sequence[FeedbackEvent]:
    match command:
        case GiveFeedback():
            return give_feedback(feedback, command)
        case AcknowledgeFeedback():
            return acknowledge_feedback(feedback, command)


def give_feedback(feedback: Feedback, command: GiveFeedback) -> Sequence[FeedbackEvent]:
    if not isinstance(feedback, NotGiven):
        raise Rejected("feedback-is-already-given")
    if command.receiver == command.by:
        raise Rejected("feedback-is-not-for-oneself", receiver=command.receiver)
    if not command.receiver_is_known:
        raise Rejected("person-is-not-known", person=command.receiver)
    return [
        FeedbackGiven(
            author=command.by,
            receiver=command.receiver,
            kind=command.kind,
            visibility=command.visibility,
            goal=command.goal,
            text=PersonalText.about(command.receiver, command.text),
        )
    ]


def acknowledge_feedback(feedback: Feedback, command: AcknowledgeFeedback) -> Sequence[FeedbackEvent]:
    """The API answers 404 to who may not read the feedback, so that these rules never tell them that it exists."""
    match feedback:
        case NotGiven():
            raise Rejected("feedback-is-not-given")
        case _ if feedback.receiver != command.by:
            raise Rejected("feedback-is-acknowledged-by-its-receiver", receiver=feedback.receiver)
        case _ if feedback.visibility not in READABLE_BY_RECEIVER:
            raise Rejected("feedback-is-not-visible-to-its-receiver", visibility=feedback.visibility)
        case Given():
            return [FeedbackAcknowledged(by=command.by)]
        case Acknowledged():
            return []


FEEDBACK: Final[Decider[Feedback]] = Decider(category="feedback", initial=NotGiven(), decide=decide, evolve=evolve)
