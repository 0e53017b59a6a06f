"""Rules of review cycles: a sound policy, a period, a population, and an end after which nothing happens."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from services.reviews.domain.policy import LevelBody, PolicyBody, SectionBody
from services.reviews.domain.review_cycle import (
    REVIEW_CYCLE,
    CloseReviewCycle,
    OpenReviewCycle,
    ReviewCycleCommand,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import Event, encode
from shared.schemas.reviews import TYPES, CycleSection, ReviewCycleClosed, ReviewCycleOpened
from tests.spec import given
from tests.unit.services.reviews.form import HR, NOW, POLICY, codes, cycle_events, days, names, percentages

policy = PolicyBody.model_validate(POLICY.model_dump())
open_cycle = OpenReviewCycle(
    name="Annual review 2026",
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 12, 31),
    policy=policy,
    population=107,
    at=NOW,
    by=HR,
)
close_cycle = CloseReviewCycle(reason="all reviews completed", at=NOW, by=HR)
opened = ReviewCycleOpened(
    name="Annual review 2026",
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 12, 31),
    policy=POLICY,
    population=107,
)
closed = ReviewCycleClosed(reason="all reviews completed")


def under(**changes: Any) -> OpenReviewCycle:
    return open_cycle.model_copy(update={"policy": policy.model_copy(update=changes)})


def sections(*weights: str) -> tuple[SectionBody, ...]:
    return tuple(SectionBody(name=f"section-{n}", weight=Decimal(weight)) for n, weight in enumerate(weights))


def levels(*minimums: str) -> tuple[LevelBody, ...]:
    return tuple(LevelBody(name=f"level-{n}", minimum=Decimal(minimum)) for n, minimum in enumerate(minimums))


def test_a_cycle_opens_under_its_policy() -> None:
    given(REVIEW_CYCLE).when(open_cycle).then(opened)


def test_an_open_cycle_is_not_opened_again() -> None:
    given(REVIEW_CYCLE, opened).when(open_cycle).then_rejected("review-cycle-is-already-open")


def test_a_closed_cycle_is_not_opened_again() -> None:
    given(REVIEW_CYCLE, opened, closed).when(open_cycle).then_rejected("review-cycle-is-closed")


def test_section_weights_must_total_100() -> None:
    given(REVIEW_CYCLE).when(under(sections=sections("60", "39.99"))).then_rejected(
        "section-weights-must-total-100", total=Decimal("99.99"), limit=Decimal(100)
    )


def test_three_equal_sections_are_33_34_and_33_33_and_33_33() -> None:
    thirds = ("33.34", "33.33", "33.33")
    frozen = tuple(CycleSection(name=f"section-{n}", weight=Decimal(weight)) for n, weight in enumerate(thirds))
    given(REVIEW_CYCLE).when(under(sections=sections(*thirds))).then(
        opened.model_copy(update={"policy": POLICY.model_copy(update={"sections": frozen})})
    )


def test_two_sections_may_not_share_a_name() -> None:
    twice = (SectionBody(name="goals", weight=Decimal(50)), SectionBody(name="goals", weight=Decimal(50)))
    given(REVIEW_CYCLE).when(under(sections=twice)).then_rejected("sections-share-a-name", name="goals")


def test_a_scale_must_have_room() -> None:
    given(REVIEW_CYCLE).when(under(scale_minimum=Decimal(5), levels=())).then_rejected(
        "scale-is-empty", minimum=Decimal(5), maximum=Decimal(5)
    )


def test_levels_must_ascend() -> None:
    given(REVIEW_CYCLE).when(under(levels=levels("3", "3"))).then_rejected(
        "levels-must-ascend", lower="level-0", higher="level-1"
    )


def test_two_levels_may_not_share_a_name() -> None:
    twice = (LevelBody(name="meets", minimum=Decimal(2)), LevelBody(name="meets", minimum=Decimal(3)))
    given(REVIEW_CYCLE).when(under(levels=twice)).then_rejected("levels-share-a-name", name="meets")


@pytest.mark.parametrize("minimum", ["0.99", "5.01"])
def test_a_level_must_be_on_the_scale(minimum: str) -> None:
    given(REVIEW_CYCLE).when(under(levels=levels(minimum))).then_rejected(
        "level-is-outside-the-scale", level="level-0", minimum=Decimal(minimum)
    )


def test_a_cycle_must_not_end_before_it_starts() -> None:
    backwards = open_cycle.model_copy(update={"ends_on": date(2025, 12, 31)})
    given(REVIEW_CYCLE).when(backwards).then_rejected("cycle-ends-before-it-starts", ends_on=date(2025, 12, 31))


def test_a_cycle_over_nobody_is_rejected() -> None:
    nobody = open_cycle.model_copy(update={"population": 0})
    given(REVIEW_CYCLE).when(nobody).then_rejected("population-is-empty")


def test_an_open_cycle_closes_with_a_reason() -> None:
    given(REVIEW_CYCLE, opened).when(close_cycle).then(closed)


def test_closing_a_closed_cycle_changes_nothing() -> None:
    given(REVIEW_CYCLE, opened, closed).when(close_cycle).then_nothing()


def test_a_cycle_that_never_opened_cannot_be_closed() -> None:
    given(REVIEW_CYCLE).when(close_cycle).then_rejected("review-cycle-is-not-open")


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "Enterprise 1"},
        {"minimum_coverage": "100.01"},
        {"self_weight": "-0.1"},
        {"scale_maximum": 5},
        {"scale_maximum": "1E+1000000"},
        {"sections": []},
        {"colour": "blue"},
    ],
)
def test_a_policy_that_cannot_be_meant_is_no_command(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyBody.model_validate({**POLICY.model_dump(mode="json"), **wrong})


histories = st.lists(cycle_events, max_size=4)
policy_bodies = st.builds(
    PolicyBody,
    version=codes,
    sections=st.just(policy.sections)
    | st.lists(st.builds(SectionBody, name=codes, weight=percentages), min_size=1, max_size=2).map(tuple),
)
commands = st.one_of(
    st.builds(
        OpenReviewCycle,
        name=names,
        starts_on=days,
        ends_on=days,
        policy=policy_bodies,
        population=st.integers(0, 9),
        at=st.just(NOW),
        by=st.just(HR),
    ),
    st.builds(CloseReviewCycle, reason=names, at=st.just(NOW), by=st.just(HR)),
)


@for_all(cycle_events)
def test_events_survive_storage(event: Event) -> None:
    stored = encode(event)
    read = TYPES.decode(event.event_type, stored)
    assert read == event
    assert isinstance(read, Event)
    assert encode(read) == stored


@for_all(histories)
def test_evolve_never_fails_on_any_history(history: list[Event]) -> None:
    REVIEW_CYCLE.fold(history)


@for_all(histories, commands)
def test_deciding_twice_adds_nothing(history: list[Event], command: ReviewCycleCommand) -> None:
    state = REVIEW_CYCLE.fold(history)
    try:
        state = REVIEW_CYCLE.fold(REVIEW_CYCLE.decide(state, command), state)
        again = REVIEW_CYCLE.decide(state, command)
    except Rejected:
        return
    assert list(again) == []
