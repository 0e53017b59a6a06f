"""The people, the moment and the random events that the feedback service's tests share."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st

from shared.schemas.feedback import (
    CheckInHeld,
    FeedbackAcknowledged,
    FeedbackGiven,
    FeedbackKind,
    FeedbackVisibility,
    PersonalTextErased,
)
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText

ALICE = PersonId(UUID(int=0xA))
BOB = PersonId(UUID(int=0xB))
MANAGER = PersonId(UUID(int=0xC))
GOAL = GoalId(UUID(int=0xD))
NOW = datetime(2026, 3, 31, 14, 30, tzinfo=UTC)

people = st.sampled_from([ALICE, BOB, MANAGER])
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
goals = st.uuids().map(GoalId)
sealed_texts = st.builds(PersonalText, person=people, key=words, ciphertext=words, bound_to=words)
kinds = st.sampled_from(FeedbackKind)
visibilities = st.sampled_from(FeedbackVisibility)
later_visibilities = st.just(FeedbackVisibility("skip-level"))

feedback_given = st.builds(
    FeedbackGiven,
    author=people,
    receiver=people,
    kind=kinds,
    visibility=visibilities | later_visibilities,
    goal=st.none() | goals,
    text=sealed_texts,
)
feedback_acknowledged = st.builds(FeedbackAcknowledged, by=people)
check_in_held = st.builds(
    CheckInHeld,
    person=people,
    manager=people,
    held_on=st.dates(),
    notes=st.none() | sealed_texts,
    shared=st.booleans(),
    goals=st.lists(goals, max_size=3).map(tuple),
)
text_erased = st.builds(PersonalTextErased, person=people, by=people)
