"""Rules of the merit matrix: half-open bands without gap or overlap, limits that warn and limits that refuse."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.merit_matrix import (
    check_matrix,
    check_percent,
    compa_ratio,
    guideline_for,
    normalised,
)
from shared.eventsourcing.decider import Rejected
from shared.schemas.rewards import NO_MERIT, MeritGuideline, MeritMatrix, MeritRow
from tests.unit.services.rewards.examples import MATRIX, guideline, row

ANY = ("0", None)
STEPS = ("1", "2", "3", "4", "5")


def matrix(*rows: MeritRow, unrated: MeritGuideline | None = None) -> MeritMatrix:
    return MeritMatrix(
        scale_minimum=Decimal(1), scale_maximum=Decimal(5), rows=rows, unrated=NO_MERIT if unrated is None else unrated
    )


def refused_rule(refused: MeritMatrix) -> str:
    with pytest.raises(Rejected) as rejected:
        check_matrix(refused)
    return rejected.value.rule


def test_a_matrix_whose_bands_meet_is_accepted() -> None:
    check_matrix(MATRIX)


def test_a_rating_on_a_bands_edge_belongs_to_the_upper_band() -> None:
    below = guideline_for(MATRIX, Decimal("4.49"), Decimal("0.9"))
    on_the_edge = guideline_for(MATRIX, Decimal("4.50"), Decimal("0.9"))
    assert (below.default, on_the_edge.default) == (3, 5)


def test_a_compa_ratio_on_a_bands_edge_belongs_to_the_upper_band() -> None:
    below = guideline_for(MATRIX, Decimal(3), Decimal("0.9999"))
    on_the_edge = guideline_for(MATRIX, Decimal(3), Decimal("1.0"))
    assert (below.default, on_the_edge.default) == (3, 2)


def test_the_unrated_fall_into_the_last_row_whose_default_is_zero() -> None:
    assert guideline_for(MATRIX, None, Decimal(1)).default == 0


def test_a_matrix_may_give_the_unrated_something() -> None:
    generous = matrix(*MATRIX.rows, unrated=guideline("0", "0", "1", "1", "2"))
    assert guideline_for(generous, None, Decimal(1)).default == 1


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([], "merit-bands-must-start-at-the-bottom"),
        ([row(("2", None), ANY, *STEPS)], "merit-bands-must-start-at-the-bottom"),
        ([row(("1", None), ("0.5", None), *STEPS)], "merit-bands-must-start-at-the-bottom"),
        ([row(("1", "3"), ANY, *STEPS), row(("3.5", None), ANY, *STEPS)], "merit-bands-must-not-leave-a-gap"),
        (
            [row(("1", None), ("0", "0.8"), *STEPS), row(("1", None), ("0.9", None), *STEPS)],
            "merit-bands-must-not-leave-a-gap",
        ),
        ([row(("1", "3"), ANY, *STEPS), row(("2", None), ANY, *STEPS)], "merit-bands-must-not-overlap"),
        ([row(("1", None), ANY, *STEPS), row(("3", None), ANY, *STEPS)], "merit-bands-must-not-overlap"),
        ([row(("1", None), ANY, *STEPS), row(("1", None), ANY, *STEPS)], "merit-bands-must-not-overlap"),
        ([row(("1", "5"), ANY, *STEPS)], "merit-bands-must-be-open-at-the-top"),
        ([row(("1", None), ("0", "2"), *STEPS)], "merit-bands-must-be-open-at-the-top"),
        ([row(("1", "1"), ANY, *STEPS), row(("1", None), ANY, *STEPS)], "merit-bands-must-not-be-empty"),
        ([row(("1", None), ANY, "1", "3", "2", "4", "5")], "merit-guideline-must-ascend-from-0-to-100"),
        ([row(("1", None), ANY, "-1", "0", "0", "0", "0")], "merit-guideline-must-ascend-from-0-to-100"),
        ([row(("1", None), ANY, "1", "2", "3", "4", "101")], "merit-guideline-must-ascend-from-0-to-100"),
    ],
)
def test_a_matrix_with_a_hole_is_refused(rows: Sequence[MeritRow], rule: str) -> None:
    assert refused_rule(matrix(*rows)) == rule


def test_a_scale_that_falls_is_refused() -> None:
    falling = MATRIX.model_copy(update={"scale_minimum": Decimal(5), "scale_maximum": Decimal(1)})
    assert refused_rule(falling) == "merit-scale-must-ascend"


@for_all(
    st.decimals(min_value=1, max_value=5, places=2),
    st.decimals(min_value=0, max_value=3, places=4),
)
def test_every_rating_at_every_compa_ratio_falls_into_exactly_one_row(rating: Decimal, compa: Decimal) -> None:
    def holds(start: Decimal, below: Decimal | None, value: Decimal) -> bool:
        return start <= value and (below is None or value < below)

    rows = [
        r
        for r in MATRIX.rows
        if holds(r.rating_from, r.rating_below, rating) and holds(r.compa_from, r.compa_below, compa)
    ]
    assert [guideline_for(MATRIX, rating, compa)] == [r.guideline for r in rows]


def test_a_rating_outside_the_scale_is_refused() -> None:
    with pytest.raises(Rejected, match="rating-outside-the-scale"):
        guideline_for(MATRIX, Decimal("5.01"), Decimal(1))


@pytest.mark.parametrize(
    ("percent", "warnings"),
    [
        ("1", ("merit-percent-below-the-guideline",)),
        ("2", ()),
        ("3", ()),
        ("4", ()),
        ("4.1", ("merit-percent-above-the-guideline",)),
        ("5", ("merit-percent-above-the-guideline",)),
    ],
)
def test_outside_low_and_high_warns(percent: str, warnings: tuple[str, ...]) -> None:
    assert check_percent(guideline(*STEPS), Decimal(percent)) == warnings


@pytest.mark.parametrize("percent", ["0.99", "5.01"])
def test_outside_minimum_and_maximum_is_refused(percent: str) -> None:
    with pytest.raises(Rejected, match="merit-percent-must-be-within-the-limits"):
        check_percent(guideline(*STEPS), Decimal(percent))


def test_a_rating_is_carried_to_the_matrixs_scale() -> None:
    on_other = normalised(Decimal("3.4"), (Decimal(1), Decimal(5)), (Decimal("0.25"), Decimal(5)))
    assert on_other == Decimal("3.10")


def test_the_compa_ratio_is_the_salary_over_the_ranges_midpoint() -> None:
    assert compa_ratio(Decimal(52000), Decimal(50000), Decimal(80000)) == Decimal("0.8")


def test_a_range_that_falls_is_refused() -> None:
    with pytest.raises(Rejected, match="pay-range-must-ascend"):
        compa_ratio(Decimal(52000), Decimal(80000), Decimal(50000))
