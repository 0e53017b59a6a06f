"""Metric: what a goal is measured in, and the one formula for its progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import Annotated, Final

from pydantic import Field

from shared.eventsourcing.decider import Rejected, RequestBody
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric, MetricKind, Zones
from shared.schemas.money import MINOR_UNITS
from shared.schemas.values import DecimalString, Known, ShortText

Figure = Annotated[DecimalString, Field(max_digits=24, decimal_places=6)]
"""A measured value, in the metric's unit."""

CAP: Final = Decimal(100)
"""Percent: more than the target counts as the target."""
ZONE_PERCENTS: Final = (Decimal(0), Decimal(30), Decimal(70), Decimal(100))
"""What fail, commit, target and stretch are worth."""

SAID_IN_PERCENT: Final = Metric(kind=MetricKind.PERCENT, start=Decimal(0), target=Decimal(100), unit="%")
"""The scale of a goal whose progress a person says."""

_PLACES: Final = Decimal(1).scaleb(-12)
_DIGITS: Final = 60
"""Enough for the quotient of any two figures with its 12 places."""


class ZonesBody(RequestBody):
    """The values that are worth 0, 30, 70 and 100 %: rising or falling, linear between."""

    fail: Figure
    commit: Figure
    target: Figure
    stretch: Figure


class KeepBody(RequestBody):
    """At least `least`, at most `most`, or within both, in each period."""

    least: Figure | None = None
    most: Figure | None = None
    period: Known[KeepPeriod] = KeepPeriod.MONTH


class MetricBody(RequestBody):
    """`start` (0 unless it is said) and `target` are in `unit`; for a currency that is its ISO 4217 code.

    `zones` and `keep` describe the metrics of their kind, which have neither start nor target.
    """

    kind: Known[MetricKind]
    start: Figure | None = None
    target: Figure | None = None
    unit: ShortText | None = None
    zones: ZonesBody | None = None
    keep: KeepBody | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Percent of the way: `raw` as it is, `capped` within 0 and 100; `regressed` is worse than where 0 % is."""

    raw: Decimal
    capped: Decimal
    regressed: bool


def metric_of(body: MetricBody) -> Metric:
    """The metric that the body describes.

    Raises:
        Rejected: it cannot be measured, by the rule of its kind.
    """
    _refuse_parts_of_another_kind(body)
    match body:
        case MetricBody(zones=ZonesBody() as zones):
            return _zones(body, zones)
        case MetricBody(keep=KeepBody() as keep):
            return _keep(body, keep)
        case MetricBody(target=Decimal() as target):
            return _way(body, Decimal(0) if body.start is None else body.start, target)
        case _:
            raise Rejected("metric-must-name-its-target", kind=body.kind)


def body_of(metric: Metric) -> MetricBody:
    """The body that describes the metric: for a goal that is to be measured as another one."""
    return MetricBody(
        kind=metric.kind,
        start=metric.start,
        target=metric.target,
        unit=metric.unit,
        zones=metric.zones and ZonesBody.model_validate(metric.zones.model_dump()),
        keep=metric.keep and KeepBody(least=metric.keep.least, most=metric.keep.most, period=metric.keep.period),
    )


def _refuse_parts_of_another_kind(body: MetricBody) -> None:
    own: dict[str, set[str]] = {MetricKind.ZONES: {"zones"}, MetricKind.KEEP: {"keep"}}
    possible = own.get(body.kind, {"start", "target"})
    given = {name for name in ("start", "target", "zones", "keep") if getattr(body, name) is not None}
    needed = own.get(body.kind, set())
    if not needed <= given <= possible:
        raise Rejected(
            "metric-must-have-the-parts-of-its-kind", kind=body.kind, parts=sorted(possible), given=sorted(given)
        )


def _way(body: MetricBody, start: Decimal, target: Decimal) -> Metric:
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


def _zones(body: MetricBody, zones: ZonesBody) -> Metric:
    values = _values(zones)
    if not (_rising(values) or _rising(values[::-1])):
        raise Rejected("zones-must-rise-or-fall-from-fail-to-stretch", **zones.model_dump())
    return Metric(kind=body.kind, start=None, target=None, unit=body.unit, zones=Zones(**zones.model_dump()))


def _keep(body: MetricBody, keep: KeepBody) -> Metric:
    if keep.least is None and keep.most is None:
        raise Rejected("keep-must-name-a-bound", least=None, most=None)
    if keep.least is not None and keep.most is not None and keep.least > keep.most:
        raise Rejected("keep-bounds-must-not-cross", least=keep.least, most=keep.most)
    return Metric(kind=body.kind, start=None, target=None, unit=body.unit, keep=Keep(**keep.model_dump()))


def progress_of(metric: Metric, value: Decimal) -> Progress:
    """Percent reached by a value, to 12 places, half up, for rising and falling metrics alike.

    (value - start) / (target - start); zones are linear between their four values, and go on beyond them as they came.
    One value alone has kept a bound, or it has not.

    Raises:
        Rejected: the metric's kind has no such value.
    """
    refuse_impossible(metric, value)
    match metric:
        case Metric(zones=Zones() as zones):
            return _reached(*_segment(_values(zones), value), value)
        case Metric(keep=Keep() as keep):
            return share(kept=int(keeps(keep, value)), of=1)
        case Metric(start=Decimal() as start, target=Decimal() as target):
            return _reached((start, Decimal(0)), (target, Decimal(100)), value)
        case _:
            raise Rejected("metric-cannot-be-measured", kind=metric.kind)


def keeps(keep: Keep, value: Decimal) -> bool:
    """Whether the value lies within the bounds; a value that equals one does."""
    return (keep.least is None or keep.least <= value) and (keep.most is None or value <= keep.most)


def share(*, kept: int, of: int) -> Progress:
    """The share of periods that kept the bounds; `of` is at least 1."""
    with localcontext(prec=_DIGITS):
        percent = _rounded(Decimal(kept) / Decimal(of) * 100)
    return Progress(raw=percent, capped=percent, regressed=False)


def refuse_impossible(metric: Metric, value: Decimal) -> None:
    """A value that the metric's kind does not have.

    Raises:
        Rejected: neither 0 nor 1, or not a number of milestones.
    """
    match metric.kind:
        case MetricKind.YES_NO if value not in (0, 1):
            raise Rejected("yes-or-no-must-be-0-or-1", value=value)
        case MetricKind.MILESTONES if not (_whole(value) and 0 <= value <= (metric.target or 0)):
            raise Rejected("milestones-done-must-be-a-whole-number-up-to-all", value=value, all=metric.target)
        case _:
            return


_Point = tuple[Decimal, Decimal]
"""A value, and the percent that it is worth."""


def _reached(low: _Point, high: _Point, value: Decimal) -> Progress:
    """Percent on the line through two points."""
    with localcontext(prec=_DIGITS):
        exact = low[1] + (value - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
        raw = _rounded(exact)
    return Progress(raw=raw, capped=min(max(raw, Decimal(0)), CAP), regressed=raw < 0)


def _segment(values: Sequence[Decimal], value: Decimal) -> tuple[_Point, _Point]:
    """The two neighbours among the zones that the value lies between, or beyond the nearer of."""
    points = list(zip(values, ZONE_PERCENTS, strict=True))
    rising = values[0] < values[-1]
    for low, high in pairwise(points[:-1]):
        if value <= high[0] if rising else value >= high[0]:
            return low, high
    return points[-2], points[-1]


def _values(zones: ZonesBody | Zones) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return zones.fail, zones.commit, zones.target, zones.stretch


def _rising(values: Sequence[Decimal]) -> bool:
    return all(low < high for low, high in pairwise(values))


def _rounded(exact: Decimal) -> Decimal:
    return exact.quantize(_PLACES, rounding=ROUND_HALF_UP).normalize()


def _whole(number: Decimal) -> bool:
    return number == number.to_integral_value()
