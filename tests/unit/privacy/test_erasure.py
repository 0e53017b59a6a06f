"""Rules of erasure: recorded once, by whom, in each service that keeps texts."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from shared.privacy.erasure import EraseText, texts_of
from shared.schemas import feedback, goals, reviews
from shared.schemas.event import Event, EventTypes, encode
from shared.schemas.identifiers import PersonId
from tests.spec import given
from tests.unit.services.reviews.form import ANN, HR, NOW, people

Erased = Callable[..., Event]
ERASED: Final = (goals.PersonalTextErased, feedback.PersonalTextErased, reviews.PersonalTextErased)
erase = EraseText(person=ANN, at=NOW, by=HR)
in_each_service = pytest.mark.parametrize("erased", ERASED, ids=lambda erased: erased.event_type.split(".")[1])


@in_each_service
def test_an_erasure_is_recorded_once(erased: Erased) -> None:
    texts, event = texts_of(erased), erased(person=ANN, by=HR)
    given(texts).when(erase).then(event)
    given(texts, event).when(erase).then_nothing()


@pytest.mark.parametrize(
    ("types", "erased"),
    [
        (goals.TYPES, goals.PersonalTextErased),
        (feedback.TYPES, feedback.PersonalTextErased),
        (reviews.TYPES, reviews.PersonalTextErased),
    ],
    ids=["goals", "feedback", "reviews"],
)
@for_all(people, people)
def test_events_survive_storage(types: EventTypes, erased: Erased, person: PersonId, by: PersonId) -> None:
    event = erased(person=person, by=by)
    assert types.decode(event.event_type, encode(event)) == event


@in_each_service
@for_all(people, st.integers(0, 3))
def test_deciding_twice_adds_nothing_on_any_history(erased: Erased, person: PersonId, times: int) -> None:
    texts, command = texts_of(erased), EraseText(person=person, at=NOW, by=HR)
    state = texts.fold([erased(person=person, by=HR)] * times)
    state = texts.fold(texts.decide(state, command), state)
    assert list(texts.decide(state, command)) == []
