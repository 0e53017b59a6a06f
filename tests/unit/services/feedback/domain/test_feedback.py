"""Rules of feedback: not for oneself, for a known person, acknowledged once by the receiver who may read it."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from services.feedback.domain.feedback import FEEDBACK, AcknowledgeFeedback, GiveFeedback, GiveFeedbackBody
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.feedback import TYPES, FeedbackAcknowledged, FeedbackGiven, FeedbackKind, FeedbackVisibility
from shared.schemas.identifiers import PersonId
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.feedback.people import (
    ALICE,
    BOB,
    GOAL,
    MANAGER,
    NOW,
    feedback_acknowledged,
    feedback_given,
    goals,
    kinds,
    people,
    visibilities,
    words,
)

TEXT = "You explained the outage to the customer calmly."


def give(receiver: PersonId = BOB, *, by: PersonId = ALICE, receiver_is_known: bool = True) -> GiveFeedback:
    return GiveFeedback(
        receiver=receiver,
        kind=FeedbackKind.PRAISE,
        visibility=FeedbackVisibility.RECEIVER,
        goal=GOAL,
        text=TEXT,
        receiver_is_known=receiver_is_known,
        at=NOW,
        by=by,
    )


def given_to_bob(visibility: FeedbackVisibility = FeedbackVisibility.RECEIVER) -> FeedbackGiven:
    return FeedbackGiven(
        author=ALICE,
        receiver=BOB,
        kind=FeedbackKind.PRAISE,
        visibility=visibility,
        goal=GOAL,
        text=PersonalText.about(BOB, TEXT),
    )


def acknowledge(by: PersonId) -> AcknowledgeFeedback:
    return AcknowledgeFeedback(at=NOW, by=by)


def test_feedback_is_given_with_its_text_about_the_receiver() -> None:
    given(FEEDBACK).when(give()).then(given_to_bob())


def test_feedback_to_oneself_is_rejected() -> None:
    given(FEEDBACK).when(give(ALICE)).then_rejected("feedback-is-not-for-oneself", receiver=ALICE)


def test_feedback_to_somebody_unknown_is_rejected() -> None:
    given(FEEDBACK).when(give(receiver_is_known=False)).then_rejected("person-is-not-known", person=BOB)


def test_feedback_is_given_once() -> None:
    given(FEEDBACK, given_to_bob()).when(give()).then_rejected("feedback-is-already-given")


def test_text_in_clear_refuses_to_be_stored() -> None:
    with pytest.raises(PydanticSerializationError, match="sealed"):
        encode(given_to_bob())


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "flattery"},
        {"visibility": "everybody"},
        {"text": "   "},
        {"text": "NUL \x00"},
        {"text": "x" * 10_001},
        {"receiver": "103"},
        {"author": str(MANAGER)},
    ],
)
def test_a_request_that_makes_no_sense_never_becomes_a_command(body: dict[str, str]) -> None:
    sound = {"receiver": str(BOB), "kind": "praise", "visibility": "receiver", "text": TEXT}
    GiveFeedbackBody.model_validate(sound)
    with pytest.raises(ValidationError):
        GiveFeedbackBody.model_validate(sound | body)


@pytest.mark.parametrize("visibility", [FeedbackVisibility.RECEIVER, FeedbackVisibility.RECEIVER_AND_MANAGER])
def test_the_receiver_acknowledges_feedback(visibility: FeedbackVisibility) -> None:
    given(FEEDBACK, given_to_bob(visibility)).when(acknowledge(BOB)).then(FeedbackAcknowledged(by=BOB))


def test_acknowledging_again_changes_nothing() -> None:
    given(FEEDBACK, given_to_bob(), FeedbackAcknowledged(by=BOB)).when(acknowledge(BOB)).then_nothing()


@pytest.mark.parametrize("somebody_else", [ALICE, MANAGER])
def test_nobody_else_acknowledges_feedback(somebody_else: PersonId) -> None:
    rule = "feedback-is-acknowledged-by-its-receiver"
    given(FEEDBACK, given_to_bob()).when(acknowledge(somebody_else)).then_rejected(rule, receiver=BOB)
    acknowledged = FeedbackAcknowledged(by=BOB)
    given(FEEDBACK, given_to_bob(), acknowledged).when(acknowledge(somebody_else)).then_rejected(rule)


@pytest.mark.parametrize("visibility", [FeedbackVisibility.MANAGER, FeedbackVisibility("skip-level")])
def test_feedback_that_its_receiver_may_not_read_is_not_acknowledged(visibility: FeedbackVisibility) -> None:
    given(FEEDBACK, given_to_bob(visibility)).when(acknowledge(BOB)).then_rejected(
        "feedback-is-not-visible-to-its-receiver", visibility=visibility
    )


def test_feedback_that_was_never_given_is_not_acknowledged() -> None:
    given(FEEDBACK).when(acknowledge(BOB)).then_rejected("feedback-is-not-given")


events = feedback_given | feedback_acknowledged
histories = st.lists(events, max_size=5)
commands = st.builds(
    GiveFeedback,
    receiver=people,
    kind=kinds,
    visibility=visibilities,
    goal=st.none() | goals,
    text=words.filter(str.strip),
    receiver_is_known=st.booleans(),
    at=st.just(NOW),
    by=people,
) | st.builds(AcknowledgeFeedback, at=st.just(NOW), by=people)


@for_all(events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert encode(event) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    FEEDBACK.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[Event], command: GiveFeedback | AcknowledgeFeedback) -> None:
    state = FEEDBACK.fold(history)
    try:
        state = FEEDBACK.fold(FEEDBACK.decide(state, command), state)
        again = FEEDBACK.decide(state, command)
    except Rejected:
        return
    assert list(again) == []
