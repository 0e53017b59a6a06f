"""The explanation: each calculation as it was made, and nothing that did not count."""

from collections.abc import Sequence
from decimal import Decimal

from services.reviews.domain.explanation import explained
from services.reviews.domain.score import score
from shared.schemas.reviews import CyclePolicy, ItemRating
from tests.unit.services.reviews.form import POLICY, rated


def explain(*ratings: ItemRating, own: Sequence[ItemRating] = (), policy: CyclePolicy = POLICY) -> list[str]:
    result = score(policy, ratings=ratings, self_ratings=own)
    return explained(policy, result, ratings=ratings, self_ratings=own)


def test_every_section_and_the_overall_score_can_be_calculated_again() -> None:
    ratings = [rated("goals", "4", weight="2"), rated("goals", "5", item="quality"), rated("competencies", "3.5")]
    assert explain(*ratings) == [
        "goals: (4 * 2 + 5 * 1) / (2 + 1) = 4.333333333333",
        "competencies: (3.5 * 1) / (1) = 3.5",
        "coverage: 100 % of the sections' weight is rated, at least 60 % is asked",
        "overall: (4.333333333333 * 60 + 3.5 * 40) / (60 + 40) = 4.00, rounded half-up once",
    ]


def test_what_is_not_rated_is_said_to_be_left_out() -> None:
    assert explain(rated("goals", "4"), rated("competencies", None)) == [
        "goals: (4 * 1) / (1) = 4",
        "competencies: nothing is rated, so the section is left out",
        "coverage: 60 % of the sections' weight is rated, at least 60 % is asked",
        "overall: (4 * 60) / (60) = 4.00, rounded half-up once",
    ]


def test_too_little_coverage_is_not_rated() -> None:
    assert explain(rated("competencies", "4"))[-2:] == [
        "coverage: 40 % of the sections' weight is rated, at least 60 % is asked",
        "overall: not rated",
    ]


def test_self_ratings_are_mentioned_only_where_they_weigh() -> None:
    own = [rated("goals", "5")]
    half = POLICY.model_copy(update={"self_weight": Decimal("0.5")})
    assert explain(rated("goals", "2"), own=own)[0] == "goals: (2 * 1) / (1) = 2"
    assert explain(rated("goals", "2"), own=own, policy=half)[0] == "goals: (2 * 1 + 5 * 0.5) / (1 + 0.5) = 3"
