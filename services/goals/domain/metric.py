"""Metric: what a goal is measured in, and the one formula for its progress."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated, Final

from pydantic import Field

from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goals import Metric, MetricKind
from shared.schemas.money import MINOR_UNITS
from shared.schemas.values import DecimalString, Known, ShortText

Figure = Annotated[DecimalString, Field(max_digits=24, decimal_places=6)]
"""A measured value, in the metric's unit."""

CAP: Final = Decimal(100)
"""Percent: more than the target counts as the target."""

_PLACES: Final = Decimal(1).scaleb(-12)
_DIGITS: Final = 60
"""Enough for the quotient of any two figures with its 12 places."""


class MetricBody(RequestBody):
    """`start` and `target` are in `unit`; for a currency that is its ISO 4217 code."""

    kind: Known[MetricKind]
    start: Figure = Decimal(0)
    target: Figure
    unit: ShortText | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Percent of the way from start to target: `raw` as it is, `capped` within 0 and 100."""

    raw: Decimal
    capped: Decimal
    regressed: bool


def metric_of(body: MetricBody) -> Metric:
    """The metric that the body describes.

    Raises:
        Rejected: it cannot be measured, by the rule of its kind.
    """
    start, target = body.start, body.target
    if start == target:
        raise Rejected("metric-start-must-differ-from-target", start=start, target=target)
    match body.kind:
        case MetricKind.YES_NO if (start, target) != (0, 1):
            raise Rejected("yes-or-no-must-run-from-0-to-1", start=start, target=target)
        case MetricKind.MILESTONES if start != 0 or target < 0 or not _whole(target):
            raise Rejected("milestones-must-run-from-0-to-a-whole-number", start=start, target=target)
        case MetricKind.CURRENCY if body.unit not in MINOR_UNITS:
            raise Rejected("currency-metric-must-name-its-currency", unit=body.unit)
        case _:
            return Metric(kind=body.kind, start=start, target=target, unit=body.unit)


def progress_of(metric: Metric, value: Decimal) -> Progress:
    """Percent reached: (value - start) / (target - start), for rising and falling metrics alike, to 12 places.

    Raises:
        Rejected: the metric's kind has no such value.
    """
    _refuse_impossible(metric, value)
    with localcontext(prec=_DIGITS):
        exact = (value - metric.start) / (metric.target - metric.start) * 100
        raw = exact.quantize(_PLACES, rounding=ROUND_HALF_UP).normalize()
    return Progress(raw=raw, capped=min(max(raw, Decimal(0)), CAP), regressed=raw < 0)


def _refuse_impossible(metric: Metric, value: Decimal) -> None:
    match metric.kind:
        case MetricKind.YES_NO if value not in (0, 1):
            raise Rejected("yes-or-no-must-be-0-or-1", value=value)
        case MetricKind.MILESTONES if not (_whole(value) and 0 <= value <= metric.target):
            raise Rejected("milestones-done-must-be-a-whole-number-up-to-all", value=value, all=metric.target)
        case _:
            return


def _whole(number: Decimal) -> bool:
    return number == number.to_integral_value()
