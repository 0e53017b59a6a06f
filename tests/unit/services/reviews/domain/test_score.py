"""The formula of the score: rated items only, never zero for what is missing, rounded once, at the end."""

from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.reviews.domain.score import Scale, level_of, normalised, score
from shared.schemas.reviews import CyclePolicy, CycleSection, ItemRating
from tests.unit.services.reviews.form import POLICY, rated


def policy(*sections: tuple[str, str], **changes: Decimal) -> CyclePolicy:
    parts = tuple(CycleSection(name=name, weight=Decimal(weight)) for name, weight in sections)
    return POLICY.model_copy(update={"sections": parts, **changes})


THREE_EQUAL = policy(("goals", "33.34"), ("feedback", "33.33"), ("self", "33.33"))


def overall(rules: CyclePolicy, *ratings: ItemRating, own: tuple[ItemRating, ...] = ()) -> Decimal | None:
    return score(rules, ratings=ratings, self_ratings=own).overall


def test_goals_5_and_feedback_5_with_self_absent_and_equal_weights_is_exactly_5() -> None:
    result = score(THREE_EQUAL, ratings=[rated("goals", "5"), rated("feedback", "5")], self_ratings=[])
    assert str(result.overall) == "5.00"
    assert result.coverage == Decimal("66.67")
    assert result.rated


def test_truly_equal_weights_give_the_same() -> None:
    equal = policy(("goals", "1"), ("feedback", "1"), ("self", "1"))
    assert str(overall(equal, rated("goals", "5"), rated("feedback", "5"))) == "5.00"


def test_a_section_is_the_weighted_mean_of_its_rated_items() -> None:
    result = score(
        POLICY,
        ratings=[rated("goals", "5", item="a", weight="3"), rated("goals", "2", item="b"), rated("competencies", "3")],
        self_ratings=[],
    )
    goals = result.sections[0]
    assert (goals.weighted_sum, goals.weight_sum, goals.rating) == (Decimal(17), Decimal(4), Decimal("4.25"))
    assert result.overall == Decimal("3.75")


def test_an_item_that_is_not_rated_is_left_out_and_not_zero() -> None:
    ratings = [rated("goals", "4", item="a"), rated("goals", None, item="b"), rated("competencies", "4")]
    assert overall(POLICY, *ratings) == Decimal("4.00")


def test_a_section_without_a_rated_item_leaves_the_weights_to_the_others() -> None:
    assert overall(POLICY, rated("goals", "3.5"), rated("competencies", None)) == Decimal("3.50")


def test_below_the_minimum_coverage_the_review_is_not_rated() -> None:
    result = score(POLICY, ratings=[rated("competencies", "5")], self_ratings=[])
    assert (result.rated, result.overall, result.level, result.coverage) == (False, None, None, Decimal(40))


def test_coverage_of_exactly_60_percent_is_enough() -> None:
    assert overall(POLICY, rated("goals", "5")) == Decimal("5.00")


def test_the_minimum_coverage_is_the_policys() -> None:
    strict = POLICY.model_copy(update={"minimum_coverage": Decimal("60.01")})
    assert overall(strict, rated("goals", "5")) is None


def test_nothing_rated_is_not_rated_even_if_no_coverage_is_asked() -> None:
    lax = POLICY.model_copy(update={"minimum_coverage": Decimal(0)})
    assert overall(lax) is None


def test_items_of_weight_zero_rate_nothing() -> None:
    assert overall(POLICY, rated("goals", "5", weight="0")) is None


def test_self_ratings_weigh_nothing_by_default_and_show_the_gap() -> None:
    ratings = [rated("goals", "3"), rated("competencies", "3")]
    result = score(POLICY, ratings=ratings, self_ratings=[rated("goals", "5")])
    assert result.overall == Decimal("3.00")
    goals, competencies = result.sections
    assert (goals.self_rating, goals.gap) == (Decimal(5), Decimal(2))
    assert (competencies.self_rating, competencies.gap) == (None, None)


def test_a_self_rating_alone_rates_nothing() -> None:
    assert overall(POLICY, own=(rated("goals", "5"), rated("competencies", "5"))) is None


def test_a_policy_may_let_self_ratings_weigh() -> None:
    half = POLICY.model_copy(update={"self_weight": Decimal("0.5")})
    result = score(half, ratings=[rated("goals", "3")], self_ratings=[rated("goals", "4.5")])
    assert result.overall == Decimal("3.50")
    assert result.sections[0].gap == Decimal("1.5")


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        (("4.005", "4.005"), "4.01"),
        (("4.0049", "4.0049"), "4.00"),
        (("3.01", "3"), "3.01"),
        (("3.004", "3.005"), "3.00"),
    ],
)
def test_rounding_is_half_up_and_happens_once_at_the_end(ratings: tuple[str, str], expected: str) -> None:
    halves = policy(("goals", "50"), ("competencies", "50"))
    assert str(overall(halves, rated("goals", ratings[0]), rated("competencies", ratings[1]))) == expected


def test_rounding_a_section_first_would_give_another_score() -> None:
    thirds = [rated("goals", rating, item=item) for item, rating in (("a", "4"), ("b", "4"), ("c", "5"))]
    halves = policy(("goals", "50"), ("competencies", "50"))
    result = score(halves, ratings=[*thirds, rated("competencies", "4.3566")], self_ratings=[])
    assert str(result.sections[0].rating) == "4.333333333333"
    assert str(result.overall) == "4.34"
    rounded_first = (Decimal("4.33") + Decimal("4.36")) / 2
    assert rounded_first == Decimal("4.345"), "which would be 4.35"


def test_below_zero_halves_are_rounded_away_from_zero() -> None:
    signed = POLICY.model_copy(update={"scale_minimum": Decimal(-2), "scale_maximum": Decimal(2)})
    assert str(overall(signed, rated("goals", "-1.005"))) == "-1.01"
    assert str(overall(signed, rated("goals", "-0.004"))) == "0.00"


def test_the_level_is_the_highest_that_the_score_reaches() -> None:
    reached = [level_of(POLICY, Decimal(number)) for number in ("2.99", "3.00", "3.99", "4.00", "5.00")]
    assert reached == [None, "meets", "meets", "exceeds", "exceeds"]


def test_3_4_on_1_to_5_is_3_10_on_0_25_to_5() -> None:
    onto = Scale(Decimal("0.25"), Decimal(5))
    assert str(normalised(Decimal("3.4"), of=Scale(Decimal(1), Decimal(5)), onto=onto)) == "3.10"


@pytest.mark.parametrize(("rating", "expected"), [("1", "0.00"), ("3", "50.00"), ("5", "100.00")])
def test_the_ends_of_a_scale_become_the_ends_of_another(rating: str, expected: str) -> None:
    of, onto = Scale(Decimal(1), Decimal(5)), Scale(Decimal(0), Decimal(100))
    assert str(normalised(Decimal(rating), of=of, onto=onto)) == expected


on_scale = st.lists(st.decimals(1, 5, places=4), min_size=1, max_size=6)


@for_all(on_scale, on_scale)
def test_the_score_stays_between_the_lowest_and_the_highest_rating(goals: list[Decimal], others: list[Decimal]) -> None:
    ratings = [rated("goals", str(number), item=str(n)) for n, number in enumerate(goals)]
    ratings += [rated("competencies", str(number), item=str(n)) for n, number in enumerate(others)]
    result = overall(POLICY, *ratings)
    assert result is not None
    assert min(*goals, *others) - Decimal("0.005") <= result <= max(*goals, *others) + Decimal("0.005")


@for_all(st.lists(st.decimals(1, 5, places=4), min_size=2, max_size=6), st.data())
def test_the_order_of_the_lines_changes_no_digit(numbers: list[Decimal], data: st.DataObject) -> None:
    ratings = [rated("goals", str(number), item=str(n), weight=str(n + 1)) for n, number in enumerate(numbers)]
    shuffled = data.draw(st.permutations(ratings))
    assert score(POLICY, ratings=ratings, self_ratings=[]) == score(POLICY, ratings=shuffled, self_ratings=[])
