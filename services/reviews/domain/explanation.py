"""A score in words: each calculation as it was made, so that a person can make it again with pencil and paper."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from shared.schemas.reviews import CyclePolicy, ItemRating, Score, SectionScore
from shared.schemas.values import plain


def explained(
    policy: CyclePolicy, score: Score, *, ratings: Sequence[ItemRating], self_ratings: Sequence[ItemRating]
) -> list[str]:
    """The steps of the calculation, one a line: each section, the coverage, the overall score."""
    sections = [_section(policy, section, ratings, self_ratings) for section in score.sections]
    return [*sections, _coverage(policy, score), _overall(score)]


def _section(
    policy: CyclePolicy, section: SectionScore, ratings: Sequence[ItemRating], self_ratings: Sequence[ItemRating]
) -> str:
    terms = [*_terms(section, ratings, Decimal(1)), *_terms(section, self_ratings, policy.self_weight)]
    if section.rating is None:
        return f"{section.name}: nothing is rated, so the section is left out"
    products = " + ".join(f"{_number(rating)} * {_number(weight)}" for rating, weight in terms)
    weights = " + ".join(_number(weight) for _, weight in terms)
    return f"{section.name}: ({products}) / ({weights}) = {_number(section.rating)}"


def _terms(section: SectionScore, ratings: Sequence[ItemRating], share: Decimal) -> Iterator[tuple[Decimal, Decimal]]:
    """The rated items of the section with what they weigh; what weighs nothing is not mentioned."""
    for item in ratings:
        if item.section == section.name and item.rating is not None and item.weight * share:
            yield item.rating, item.weight * share


def _coverage(policy: CyclePolicy, score: Score) -> str:
    asked = _number(policy.minimum_coverage)
    return f"coverage: {_number(score.coverage)} % of the sections' weight is rated, at least {asked} % is asked"


def _overall(score: Score) -> str:
    if score.overall is None:
        return "overall: not rated"
    rated = [(section.rating, section.weight) for section in score.sections if section.rating is not None]
    products = " + ".join(f"{_number(rating)} * {_number(weight)}" for rating, weight in rated)
    weights = " + ".join(_number(weight) for _, weight in rated)
    return f"overall: ({products}) / ({weights}) = {plain(score.overall)}, rounded half-up once"


def _number(number: Decimal) -> str:
    text = plain(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
