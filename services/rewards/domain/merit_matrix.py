"""The merit matrix: rating x position in range -> the guideline that bounds a merit percentage."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from shared.eventsourcing.decider import Rejected
from shared.schemas.rewards import MeritGuideline, MeritMatrix, MeritRow

_HUNDRED: Final = Decimal(100)
_TWO_PLACES: Final = Decimal("0.01")
_FOUR_PLACES: Final = Decimal("0.0001")


class Band(NamedTuple):
    """Half-open: start <= x < below; `below` None has no upper end."""

    start: Decimal
    below: Decimal | None

    def holds(self, value: Decimal) -> bool:
        return self.start <= value and (self.below is None or value < self.below)


def _rating_band(row: MeritRow) -> Band:
    return Band(row.rating_from, row.rating_below)


def _compa_band(row: MeritRow) -> Band:
    return Band(row.compa_from, row.compa_below)


def check_matrix(matrix: MeritMatrix) -> None:
    """Every rating of the scale at every compa-ratio falls into exactly one row.

    Raises:
        Rejected: naming the first gap, overlap or guideline that does not hold.
    """
    if matrix.scale_minimum >= matrix.scale_maximum:
        raise Rejected("merit-scale-must-ascend", minimum=matrix.scale_minimum, maximum=matrix.scale_maximum)
    rows = sorted(matrix.rows, key=lambda row: (row.rating_from, row.compa_from))
    by_rating = [(band, list(group)) for band, group in groupby(rows, key=_rating_band)]
    _check_bands("rating", [band for band, _ in by_rating], start=matrix.scale_minimum)
    for _, group in by_rating:
        _check_bands("compa-ratio", [_compa_band(row) for row in group], start=Decimal(0))
    for guideline in (*(row.guideline for row in rows), matrix.unrated):
        _check_guideline(guideline)


def _check_bands(axis: str, bands: Sequence[Band], *, start: Decimal) -> None:
    if not bands or bands[0].start != start:
        first = bands[0].start if bands else None
        raise Rejected("merit-bands-must-start-at-the-bottom", axis=axis, expected=start, found=first)
    for band, following in pairwise(bands):
        if band.below is None or band.below > following.start:
            raise Rejected("merit-bands-must-not-overlap", axis=axis, below=band.below, next_from=following.start)
        if band.below < following.start:
            raise Rejected("merit-bands-must-not-leave-a-gap", axis=axis, below=band.below, next_from=following.start)
    if bands[-1].below is not None:
        raise Rejected("merit-bands-must-be-open-at-the-top", axis=axis, below=bands[-1].below)
    for band in bands:
        if band.below is not None and band.below <= band.start:
            raise Rejected("merit-bands-must-not-be-empty", axis=axis, start=band.start, below=band.below)


def _check_guideline(guideline: MeritGuideline) -> None:
    steps = (guideline.minimum, guideline.low, guideline.default, guideline.high, guideline.maximum)
    if list(steps) != sorted(steps) or guideline.minimum < 0 or guideline.maximum > _HUNDRED:
        raise Rejected("merit-guideline-must-ascend-from-0-to-100", guideline=[str(step) for step in steps])


def normalised(rating: Decimal, scale: tuple[Decimal, Decimal], to: tuple[Decimal, Decimal]) -> Decimal:
    """A rating of one scale (minimum, maximum) on another, 2 places half-up: 3.4 on 1-5 is 3.10 on 0.25-5."""
    if scale[0] >= scale[1]:
        raise Rejected("rating-scale-must-ascend", minimum=scale[0], maximum=scale[1])
    on_scale = (rating - scale[0]) * (to[1] - to[0]) / (scale[1] - scale[0]) + to[0]
    return on_scale.quantize(_TWO_PLACES, rounding=ROUND_HALF_UP)


def compa_ratio(annual_base: Decimal, range_minimum: Decimal, range_maximum: Decimal) -> Decimal:
    """Position in range: the base salary over the range's midpoint. Not rounded."""
    if range_minimum <= 0 or range_maximum < range_minimum:
        raise Rejected("pay-range-must-ascend", minimum=range_minimum, maximum=range_maximum)
    return annual_base * 2 / (range_minimum + range_maximum)


def shown(ratio: Decimal) -> Decimal:
    """A ratio as it is stored and shown: 4 places, half-up."""
    return ratio.quantize(_FOUR_PLACES, rounding=ROUND_HALF_UP)


def guideline_for(matrix: MeritMatrix, rating: Decimal | None, compa: Decimal) -> MeritGuideline:
    """The row's guideline; without a rating the last, catch-all row's.

    Raises:
        Rejected: the rating is outside the matrix's scale.
    """
    if rating is None:
        return matrix.unrated
    if not matrix.scale_minimum <= rating <= matrix.scale_maximum:
        raise Rejected("rating-outside-the-scale", rating=rating, limit=matrix.scale_maximum)
    return next(
        row.guideline for row in matrix.rows if _rating_band(row).holds(rating) and _compa_band(row).holds(compa)
    )


def check_percent(guideline: MeritGuideline, percent: Decimal) -> tuple[str, ...]:
    """The warnings that a percentage deserves: outside low/high.

    Raises:
        Rejected: outside minimum/maximum.
    """
    if not guideline.minimum <= percent <= guideline.maximum:
        raise Rejected(
            "merit-percent-must-be-within-the-limits",
            percent=percent,
            minimum=guideline.minimum,
            maximum=guideline.maximum,
        )
    if percent < guideline.low:
        return ("merit-percent-below-the-guideline",)
    return ("merit-percent-above-the-guideline",) if percent > guideline.high else ()
