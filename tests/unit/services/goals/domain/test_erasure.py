"""Rules of erasure: recorded once, by whom."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.goals.domain.erasure import TEXTS, EraseText
from shared.schemas.event import Event, encode
from shared.schemas.goals import TYPES, PersonalTextErased
from shared.schemas.identifiers import PersonId
from tests.spec import given
from tests.unit.services.goals.examples import MANAGER, NOW, OWNER, people, text_erased

erase = EraseText(person=OWNER, at=NOW, by=MANAGER)
erased = PersonalTextErased(person=OWNER, by=MANAGER)


def test_an_erasure_is_recorded() -> None:
    given(TEXTS).when(erase).then(erased)


def test_erasing_again_changes_nothing() -> None:
    given(TEXTS, erased).when(erase).then_nothing()


@for_all(text_erased)
def test_events_survive_storage(event: Event) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(text_erased, max_size=3))
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    TEXTS.fold(history)


@for_all(st.lists(text_erased, max_size=3), people)
def test_deciding_twice_adds_nothing(history: list[Event], person: PersonId) -> None:
    command = EraseText(person=person, at=NOW, by=MANAGER)
    state = TEXTS.fold(history)
    state = TEXTS.fold(TEXTS.decide(state, command), state)
    assert list(TEXTS.decide(state, command)) == []
