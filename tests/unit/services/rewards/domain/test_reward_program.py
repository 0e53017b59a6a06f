"""Rules of a reward program: one per cycle, out of a pool that exists, with a matrix that holds."""

from datetime import date
from typing import Any

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.reward_program import PROGRAM, OpenRewardProgram
from shared.eventsourcing.decider import Rejected
from shared.schemas.event import encode
from shared.schemas.rewards import TYPES, RewardProgramOpened
from tests.spec import given
from tests.unit.services.rewards.examples import HR, MATRIX, NOW, program_opened, row, words

TERMS: dict[str, Any] = {n: v for n, v in dict(program_opened).items() if n not in ("kind", "currency")}
open_program = OpenRewardProgram(**TERMS, pool_currency="USD", at=NOW, by=HR)


def test_a_program_opens_in_the_currency_of_its_pool() -> None:
    given(PROGRAM).when(open_program).then(program_opened)


def test_opening_the_same_program_again_changes_nothing() -> None:
    given(PROGRAM, program_opened).when(open_program).then_nothing()


def test_a_cycle_has_one_program() -> None:
    other = open_program.model_copy(update={"name": "Another"})
    given(PROGRAM, program_opened).when(other).then_rejected("cycle-already-has-a-program")


def test_a_program_needs_a_pool() -> None:
    given(PROGRAM).when(open_program.model_copy(update={"pool_currency": None})).then_rejected("pool-must-exist")


def test_coverage_does_not_end_before_it_starts() -> None:
    given(PROGRAM).when(open_program.model_copy(update={"coverage_end": date(2024, 12, 31)})).then_rejected(
        "coverage-must-not-end-before-it-starts"
    )


def test_a_matrix_with_a_gap_is_refused() -> None:
    gap = MATRIX.model_copy(update={"rows": (row(("2", None), ("0", None), "0", "0", "0", "0", "0"),)})
    given(PROGRAM).when(open_program.model_copy(update={"matrix": gap})).then_rejected(
        "merit-bands-must-start-at-the-bottom", axis="rating"
    )


def opened(name: str, start: date, end: date) -> RewardProgramOpened:
    return program_opened.model_copy(update={"name": name.strip(), "coverage_start": start, "coverage_end": end})


programs = st.builds(opened, words, st.dates(), st.dates())


@for_all(programs)
def test_events_survive_storage(event: RewardProgramOpened) -> None:
    read = TYPES.decode(event.event_type, encode(event))
    assert read == event
    assert encode(event) == encode(program_opened.model_validate(dict(event)))


@for_all(st.lists(programs, max_size=4))
def test_evolve_never_fails_on_any_history(history: list[RewardProgramOpened]) -> None:
    PROGRAM.fold(history)


@for_all(st.lists(programs, max_size=2), programs)
def test_deciding_twice_adds_nothing(history: list[RewardProgramOpened], wanted: RewardProgramOpened) -> None:
    terms: dict[str, Any] = {n: v for n, v in dict(wanted).items() if n not in ("kind", "currency")}
    command = OpenRewardProgram(**terms, pool_currency="USD", at=NOW, by=HR)
    state = PROGRAM.fold(history)
    try:
        state = PROGRAM.fold(PROGRAM.decide(state, command), state)
    except Rejected:
        return
    assert list(PROGRAM.decide(state, command)) == []
