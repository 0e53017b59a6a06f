"""KPI values: what one measurement is worth, what many are together, and how that stands against the thresholds."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from typing import Final

from shared.schemas.kpis import KpiAggregation, KpiDirection, KpiKind, KpiThresholds

_FIGURE: Final = Decimal(1).scaleb(-6)
"""A value is shown, and moves a goal, with 6 places, rounded half up, once."""
_PLACES: Final = Decimal(1).scaleb(-12)
_DIGITS: Final = 80
"""Enough for a quotient of any two sums with its 12 places."""


class KpiStatus(StrEnum):
    """How a value stands against the thresholds; without thresholds, or without a value, it is not judged."""

    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    OFF_TRACK = "off-track"
    NOT_MEASURED = "not-measured"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True, slots=True)
class Totals:
    """Many measurements, as far as any aggregation needs them. `valued` counts those that have a value.

    `last` is the value of the latest time; of several at that time, of the greatest measurement id.
    """

    count: int = 0
    valued: int = 0
    total: Decimal = Decimal(0)
    numerator: Decimal = Decimal(0)
    denominator: Decimal = Decimal(0)
    lowest: Decimal | None = None
    highest: Decimal | None = None
    last: Decimal | None = None


def aggregations_of(kind: KpiKind) -> frozenset[KpiAggregation]:
    """Ratios have no sum, and numbers no ratio of sums."""
    other = KpiAggregation.SUM if kind is KpiKind.RATIO else KpiAggregation.RATIO_OF_SUMS
    return frozenset(KpiAggregation) - {other}


def ratio(numerator: Decimal, denominator: Decimal, per: Decimal) -> Decimal | None:
    """What a ratio is worth, numerator / denominator * per, to 12 places; None of nothing."""
    if denominator == 0:
        return None
    return _quotient(numerator * per, denominator, _PLACES)


def aggregated(totals: Totals, aggregation: KpiAggregation, per: Decimal) -> Decimal | None:
    """The one value of these measurements, to 6 places; None: they have none."""
    match aggregation:
        case KpiAggregation.RATIO_OF_SUMS:
            whole = totals.denominator
            return None if whole == 0 else _quotient(totals.numerator * per, whole, _FIGURE)
        case KpiAggregation.MEAN:
            return None if totals.valued == 0 else _quotient(totals.total, Decimal(totals.valued), _FIGURE)
        case KpiAggregation.SUM:
            return None if totals.valued == 0 else _rounded(totals.total)
        case KpiAggregation.MIN:
            return _rounded(totals.lowest)
        case KpiAggregation.MAX:
            return _rounded(totals.highest)
        case KpiAggregation.LAST:
            return _rounded(totals.last)


def status_of(value: Decimal | None, direction: KpiDirection, thresholds: KpiThresholds | None) -> KpiStatus:
    """A value on a threshold keeps it."""
    if value is None:
        return KpiStatus.NOT_MEASURED
    if thresholds is None:
        return KpiStatus.NOT_JUDGED
    sign = -1 if direction is KpiDirection.FALLING else 1
    if value * sign >= thresholds.on_track * sign:
        return KpiStatus.ON_TRACK
    return KpiStatus.AT_RISK if value * sign >= thresholds.at_risk * sign else KpiStatus.OFF_TRACK


def reaches(value: Decimal | None, target: Decimal | None, direction: KpiDirection) -> bool | None:
    """Whether the value is as good as the target; None where either is missing."""
    if value is None or target is None:
        return None
    return value <= target if direction is KpiDirection.FALLING else value >= target


def _quotient(dividend: Decimal, divisor: Decimal, places: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return (dividend / divisor).quantize(places, rounding=ROUND_HALF_UP).normalize() + 0


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else _quotient(value, Decimal(1), _FIGURE)
