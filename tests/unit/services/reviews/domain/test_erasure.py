"""Rules of erasure: recorded once, by whom."""

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.reviews.domain.erasure import TEXTS, EraseText
from shared.schemas.event import Event, encode
from shared.schemas.identifiers import PersonId
from shared.schemas.reviews import TYPES, PersonalTextErased
from tests.spec import given
from tests.unit.services.reviews.form import ANN, HR, NOW, people

erase = EraseText(person=ANN, at=NOW, by=HR)
erased = PersonalTextErased(person=ANN, by=HR)
erasures = st.builds(PersonalTextErased, person=people, by=people)


def test_an_erasure_is_recorded() -> None:
    given(TEXTS).when(erase).then(erased)


def test_erasing_again_changes_nothing() -> None:
    given(TEXTS, erased).when(erase).then_nothing()


@for_all(erasures)
def test_events_survive_storage(event: Event) -> None:
    assert TYPES.decode(event.event_type, encode(event)) == event


@for_all(st.lists(erasures, max_size=3))
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    TEXTS.fold(history)


@for_all(st.lists(erasures, max_size=3), people)
def test_deciding_twice_adds_nothing(history: list[Event], person: PersonId) -> None:
    command = EraseText(person=person, at=NOW, by=HR)
    state = TEXTS.fold(history)
    state = TEXTS.fold(TEXTS.decide(state, command), state)
    assert list(TEXTS.decide(state, command)) == []
