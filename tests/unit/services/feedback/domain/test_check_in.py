"""Rules of check-ins: not with oneself, not in the future, notes about the person."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.feedback.domain.check_in import CHECK_IN, HoldCheckIn
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.feedback import TYPES, CheckInHeld
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText
from tests.spec import given
from tests.unit.services.feedback.people import BOB, GOAL, MANAGER, NOW, check_in_held, goals, people, words

TODAY = NOW.date()
NOTES = "Worried about the date; wants to learn the billing code."
hold = HoldCheckIn(person=BOB, held_on=TODAY, notes=NOTES, shared=True, goals=(GOAL,), at=NOW, by=MANAGER)
held = CheckInHeld(
    person=BOB,
    manager=MANAGER,
    held_on=TODAY,
    notes=PersonalText.about(BOB, NOTES),
    shared=True,
    goals=(GOAL,),
)


def test_a_check_in_is_held_with_notes_about_the_person() -> None:
    given(CHECK_IN).when(hold).then(held)


def test_a_check_in_needs_neither_notes_nor_goals_and_is_private_unless_shared() -> None:
    given(CHECK_IN).when(HoldCheckIn(person=BOB, held_on=TODAY, at=NOW, by=MANAGER)).then(
        CheckInHeld(person=BOB, manager=MANAGER, held_on=TODAY, notes=None, shared=False, goals=())
    )


def test_a_check_in_with_oneself_is_rejected() -> None:
    with_oneself = hold.model_copy(update={"person": MANAGER})
    given(CHECK_IN).when(with_oneself).then_rejected("check-in-is-not-with-oneself", person=MANAGER)


def test_a_check_in_tomorrow_is_rejected() -> None:
    tomorrow = TODAY + timedelta(days=1)
    given(CHECK_IN).when(hold.model_copy(update={"held_on": tomorrow})).then_rejected(
        "check-in-is-not-in-the-future", held_on=tomorrow, today=TODAY
    )


def test_a_check_in_may_be_recorded_days_later() -> None:
    last_week = date(2026, 3, 24)
    given(CHECK_IN).when(hold.model_copy(update={"held_on": last_week})).then(
        held.model_copy(update={"held_on": last_week})
    )


def test_a_goal_named_twice_is_referenced_once() -> None:
    other = GoalId(UUID(int=0xE))
    given(CHECK_IN).when(hold.model_copy(update={"goals": (GOAL, other, GOAL)})).then(
        held.model_copy(update={"goals": (GOAL, other)})
    )


def test_a_check_in_is_held_once() -> None:
    given(CHECK_IN, held).when(hold).then_rejected("check-in-is-already-held")


histories = st.lists(check_in_held, max_size=4)
commands = st.builds(
    HoldCheckIn,
    person=people,
    held_on=st.dates(),
    notes=st.none() | words.filter(str.strip),
    shared=st.booleans(),
    goals=st.lists(goals, max_size=3).map(tuple),
    at=st.just(NOW),
    by=people,
)


@for_all(check_in_held)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert encode(event) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    CHECK_IN.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[Event], command: HoldCheckIn) -> None:
    state = CHECK_IN.fold(history)
    try:
        state = CHECK_IN.fold(CHECK_IN.decide(state, command), state)
        again = CHECK_IN.decide(state, command)
    except Rejected:
        return
    assert list(again) == []
