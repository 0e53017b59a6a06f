"""The score of a review: what is rated is weighed, what is missing is left out and is never zero.

All sums are exact fractions; the only rounding that counts is the overall score's, half-up, once, to 2 places.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.schemas.reviews import CyclePolicy, CycleSection, ItemRating, Score, SectionScore

SCORE_PLACES: Final = 2
SHOWN_PLACES: Final = 12


@dataclass(frozen=True, slots=True)
class Scale:
    """A rating scale from `minimum` to `maximum`, both included."""

    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """Ratings times weights, and the weights, over what is rated; no weight: nothing is rated."""

    weighted_sum: Fraction = Fraction(0)
    weight_sum: Fraction = Fraction(0)

    def plus(self, rating: Fraction, weight: Fraction) -> "WeightedMean":
        return WeightedMean(self.weighted_sum + rating * weight, self.weight_sum + weight)

    @property
    def value(self) -> Fraction | None:
        return self.weighted_sum / self.weight_sum if self.weight_sum else None


def score(policy: CyclePolicy, *, ratings: Sequence[ItemRating], self_ratings: Sequence[ItemRating]) -> Score:
    """The score by the policy: section = sum(r*w)/sum(w) over rated items; overall likewise over rated sections.

    A self rating counts as one more item with `self_weight` times its weight, so by default it only shows the gap.
    Rated means that the rated sections' weight covers at least the policy's minimum.
    """
    means = [
        (section, _section_mean(section, policy.self_weight, ratings, self_ratings)) for section in policy.sections
    ]
    rated = [(section, value) for section, mean in means if (value := mean.value) is not None]
    overall = WeightedMean()
    for section, value in rated:
        overall = overall.plus(value, Fraction(section.weight))
    coverage = _coverage(policy, overall.weight_sum)
    covered = overall.value if coverage >= Fraction(policy.minimum_coverage) else None
    rounded_overall = None if covered is None else rounded(covered, SCORE_PLACES)
    return Score(
        sections=tuple(_section_score(section, mean, ratings, self_ratings) for section, mean in means),
        coverage=rounded(coverage, SHOWN_PLACES),
        rated=rounded_overall is not None,
        overall=rounded_overall,
        level=None if rounded_overall is None else level_of(policy, rounded_overall),
    )


def level_of(policy: CyclePolicy, overall: Decimal) -> str | None:
    """The highest level whose minimum the overall score reaches; None below the first, or where none is named."""
    reached = [level for level in policy.levels if level.minimum <= overall]
    return max(reached, key=lambda level: level.minimum).name if reached else None


def normalised(rating: Decimal, *, of: Scale, onto: Scale) -> Decimal:
    """The rating on another scale, rounded half-up to 2 places: ((x - min1) / (max1 - min1)) * (max2 - min2) + min2."""
    share = (Fraction(rating) - Fraction(of.minimum)) / (Fraction(of.maximum) - Fraction(of.minimum))
    return rounded(share * (Fraction(onto.maximum) - Fraction(onto.minimum)) + Fraction(onto.minimum), SCORE_PLACES)


def rounded(value: Fraction, places: int) -> Decimal:
    """Half-up (halves away from zero) to so many places; zeros beyond the scores' 2 places are cut."""
    scaled = abs(value) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    while places > SCORE_PLACES and units % 10 == 0:
        units, places = units // 10, places - 1
    return Decimal((int(value < 0 < units), tuple(int(digit) for digit in str(units)), -places))


def _section_mean(
    section: CycleSection, self_weight: Decimal, ratings: Iterable[ItemRating], self_ratings: Iterable[ItemRating]
) -> WeightedMean:
    given = _mean(section, ratings, Fraction(1))
    own = _mean(section, self_ratings, Fraction(self_weight))
    return WeightedMean(given.weighted_sum + own.weighted_sum, given.weight_sum + own.weight_sum)


def _mean(section: CycleSection, ratings: Iterable[ItemRating], share: Fraction) -> WeightedMean:
    mean = WeightedMean()
    for item in ratings:
        if item.section == section.name and item.rating is not None:
            mean = mean.plus(Fraction(item.rating), Fraction(item.weight) * share)
    return mean


def _coverage(policy: CyclePolicy, rated_weight: Fraction) -> Fraction:
    total = sum((Fraction(section.weight) for section in policy.sections), Fraction(0))
    return 100 * rated_weight / total if total else Fraction(0)


def _section_score(
    section: CycleSection, mean: WeightedMean, ratings: Iterable[ItemRating], self_ratings: Iterable[ItemRating]
) -> SectionScore:
    given = _mean(section, ratings, Fraction(1)).value
    own = _mean(section, self_ratings, Fraction(1)).value
    return SectionScore(
        name=section.name,
        weight=section.weight,
        weighted_sum=rounded(mean.weighted_sum, SHOWN_PLACES),
        weight_sum=rounded(mean.weight_sum, SHOWN_PLACES),
        rating=_shown(mean.value),
        self_rating=_shown(own),
        gap=None if given is None or own is None else _shown(own - given),
    )


def _shown(value: Fraction | None) -> Decimal | None:
    return None if value is None else rounded(value, SHOWN_PLACES)
