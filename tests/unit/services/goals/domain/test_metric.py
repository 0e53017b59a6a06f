"""Rules of metrics: what can be measured, and how far a value is from start to target."""

from decimal import Decimal

import pytest
from hypothesis import given
from pydantic import ValidationError

from services.goals.domain.metric import KeepBody, MetricBody, ZonesBody, metric_of, progress_of
from shared.eventsourcing.decider import Rejected
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric, MetricKind, Zones
from tests.unit.services.goals.examples import figures, ways, zones


def number(start: str, target: str) -> Metric:
    return Metric(kind=MetricKind.NUMBER, start=Decimal(start), target=Decimal(target))


def body(kind: MetricKind, start: str, target: str, unit: str | None = None) -> MetricBody:
    return MetricBody(kind=kind, start=Decimal(start), target=Decimal(target), unit=unit)


@pytest.mark.parametrize(
    ("start", "target", "value", "raw", "capped", "regressed"),
    [
        ("200", "0", "100", "50", "50", False),
        ("10", "0", "7", "30", "30", False),
        ("10", "0", "-10", "200", "100", False),
        ("0", "100", "100", "100", "100", False),
        ("0", "100", "150", "150", "100", False),
        ("50", "100", "40", "-20", "0", True),
        ("10", "0", "12", "-20", "0", True),
        ("0", "3", "1", "33.333333333333", "33.333333333333", False),
        ("0", "3", "2", "66.666666666667", "66.666666666667", False),
        ("-5", "5", "0", "50", "50", False),
    ],
)
def test_progress_is_the_way_covered_from_start_to_target(
    *, start: str, target: str, value: str, raw: str, capped: str, regressed: bool
) -> None:
    progress = progress_of(number(start, target), Decimal(value))
    assert (progress.raw, progress.capped, progress.regressed) == (Decimal(raw), Decimal(capped), regressed)


def test_progress_is_exact_for_the_largest_and_the_smallest_figures() -> None:
    progress = progress_of(number("0", "0.000001"), Decimal(999999999999999999))
    assert progress.raw == Decimal(99999999999999999900000000)


def test_a_falling_metric_halfway_down_is_at_50_percent() -> None:
    assert progress_of(number("200", "0"), Decimal(100)).capped == 50


def test_from_10_to_0_a_7_is_30_percent() -> None:
    assert progress_of(number("10", "0"), Decimal(7)).capped == 30


def test_from_10_to_0_a_minus_10_is_100_percent_capped_and_200_raw() -> None:
    progress = progress_of(number("10", "0"), Decimal(-10))
    assert (progress.capped, progress.raw) == (100, 200)


def test_below_the_start_is_0_and_regressed() -> None:
    progress = progress_of(number("50", "100"), Decimal(40))
    assert (progress.capped, progress.regressed) == (0, True)


def zoned(*values: str) -> Metric:
    fail, commit, target, stretch = (Decimal(value) for value in values)
    zones = Zones(fail=fail, commit=commit, target=target, stretch=stretch)
    return Metric(kind=MetricKind.ZONES, start=None, target=None, zones=zones)


RISING = zoned("80", "90", "94", "100")
FALLING = zoned("40", "30", "20", "10")


@pytest.mark.parametrize(
    ("metric", "value", "raw", "capped", "regressed"),
    [
        (RISING, "80", "0", "0", False),
        (RISING, "85", "15", "15", False),
        (RISING, "90", "30", "30", False),
        (RISING, "92", "50", "50", False),
        (RISING, "94", "70", "70", False),
        (RISING, "97", "85", "85", False),
        (RISING, "100", "100", "100", False),
        (RISING, "102", "110", "100", False),
        (RISING, "70", "-30", "0", True),
        (FALLING, "40", "0", "0", False),
        (FALLING, "35", "15", "15", False),
        (FALLING, "30", "30", "30", False),
        (FALLING, "25", "50", "50", False),
        (FALLING, "20", "70", "70", False),
        (FALLING, "10", "100", "100", False),
        (FALLING, "0", "130", "100", False),
        (FALLING, "50", "-30", "0", True),
        (zoned("0", "3", "6", "9"), "4", "43.333333333333", "43.333333333333", False),
    ],
)
def test_zones_are_worth_0_30_70_and_100_percent_and_linear_between(
    *, metric: Metric, value: str, raw: str, capped: str, regressed: bool
) -> None:
    progress = progress_of(metric, Decimal(value))
    assert (progress.raw, progress.capped, progress.regressed) == (Decimal(raw), Decimal(capped), regressed)


@given(zones, figures, figures)
def test_a_better_value_is_never_worth_less(metric: Metric, one: Decimal, other: Decimal) -> None:
    assert metric.zones is not None
    better = max if metric.zones.stretch > metric.zones.fail else min
    best = better(one, other)
    assert progress_of(metric, best).raw >= max(progress_of(metric, value).raw for value in (one, other))


@pytest.mark.parametrize(
    ("least", "most", "value", "percent"),
    [
        ("95", None, "95", 100),
        ("95", None, "94.99", 0),
        (None, "2", "2", 100),
        (None, "2", "3", 0),
        ("18", "22", "20", 100),
        ("18", "22", "17", 0),
        ("18", "22", "23", 0),
        ("20", "20", "20", 100),
    ],
)
def test_at_least_at_most_and_within_hold_their_bounds_too(
    least: str | None, most: str | None, value: str, percent: int
) -> None:
    keep = Keep(
        least=None if least is None else Decimal(least),
        most=None if most is None else Decimal(most),
        period=KeepPeriod.MONTH,
    )
    metric = Metric(kind=MetricKind.KEEP, start=None, target=None, keep=keep)
    assert progress_of(metric, Decimal(value)).capped == percent


def measurable(metric: Metric) -> bool:
    return metric.kind not in (MetricKind.YES_NO, MetricKind.MILESTONES)


@given(ways.filter(measurable) | zones, figures)
def test_progress_stays_within_0_and_100_and_says_when_it_is_below_the_start(metric: Metric, value: Decimal) -> None:
    progress = progress_of(metric, value)
    assert 0 <= progress.capped <= 100
    assert progress.regressed == (progress.raw < 0)
    assert not progress.regressed or progress.capped == 0


@pytest.mark.parametrize("kind", sorted(set(MetricKind) - {MetricKind.ZONES, MetricKind.KEEP}))
def test_a_metric_whose_start_is_its_target_is_refused(kind: MetricKind) -> None:
    with pytest.raises(Rejected, match="metric-start-must-differ-from-target"):
        metric_of(body(kind, "1.0", "1"))


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        (body(MetricKind.YES_NO, "0", "2"), "yes-or-no-must-run-from-0-to-1"),
        (body(MetricKind.YES_NO, "1", "0"), "yes-or-no-must-run-from-0-to-1"),
        (body(MetricKind.MILESTONES, "1", "5"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.MILESTONES, "0", "4.5"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.MILESTONES, "0", "-4"), "milestones-must-run-from-0-to-a-whole-number"),
        (body(MetricKind.CURRENCY, "0", "5"), "currency-metric-must-name-its-currency"),
        (body(MetricKind.CURRENCY, "0", "5", "dollars"), "currency-metric-must-name-its-currency"),
    ],
)
def test_each_kind_has_its_own_start_and_target(refused: MetricBody, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        metric_of(refused)


@pytest.mark.parametrize(
    "allowed",
    [
        body(MetricKind.NUMBER, "10", "-10"),
        body(MetricKind.PERCENT, "80", "95.5"),
        body(MetricKind.CURRENCY, "0", "1250.50", "USD"),
        body(MetricKind.YES_NO, "0", "1"),
        body(MetricKind.MILESTONES, "0", "12"),
    ],
)
def test_what_can_be_measured_is_taken_as_it_is(allowed: MetricBody) -> None:
    assert metric_of(allowed) == Metric.model_validate(allowed.model_dump())


def test_a_start_that_is_not_said_is_0() -> None:
    assert metric_of(MetricBody(kind=MetricKind.NUMBER, target=Decimal(5))).start == 0


def zones_body(*values: str) -> MetricBody:
    fail, commit, target, stretch = (Decimal(value) for value in values)
    return MetricBody(kind=MetricKind.ZONES, zones=ZonesBody(fail=fail, commit=commit, target=target, stretch=stretch))


@pytest.mark.parametrize("values", [("80", "90", "94", "100"), ("40", "30", "20", "10")])
def test_zones_may_rise_or_fall(values: tuple[str, ...]) -> None:
    assert metric_of(zones_body(*values)) == zoned(*values)


@pytest.mark.parametrize("values", [("80", "90", "90", "100"), ("80", "94", "90", "100"), ("1", "1", "1", "1")])
def test_zones_that_neither_rise_nor_fall_are_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(Rejected, match="zones-must-rise-or-fall-from-fail-to-stretch"):
        metric_of(zones_body(*values))


def test_a_bound_to_keep_is_named_and_bounds_do_not_cross() -> None:
    with pytest.raises(Rejected, match="keep-must-name-a-bound"):
        metric_of(MetricBody(kind=MetricKind.KEEP, keep=KeepBody()))
    crossed = KeepBody(least=Decimal(3), most=Decimal(2))
    with pytest.raises(Rejected, match=r"keep-bounds-must-not-cross .*least=3, most=2"):
        metric_of(MetricBody(kind=MetricKind.KEEP, keep=crossed))
    exactly = KeepBody(least=Decimal(2), most=Decimal(2), period=KeepPeriod.WEEK)
    assert metric_of(MetricBody(kind=MetricKind.KEEP, keep=exactly)).keep == Keep(**exactly.model_dump())


@pytest.mark.parametrize(
    "mixed",
    [
        MetricBody(kind=MetricKind.ZONES, target=Decimal(1)),
        MetricBody(kind=MetricKind.ZONES),
        MetricBody(kind=MetricKind.KEEP, start=Decimal(1), keep=KeepBody(least=Decimal(1))),
        MetricBody(kind=MetricKind.NUMBER, target=Decimal(1), keep=KeepBody(least=Decimal(1))),
    ],
)
def test_a_metric_has_the_parts_of_its_kind(mixed: MetricBody) -> None:
    with pytest.raises(Rejected, match="metric-must-have-the-parts-of-its-kind"):
        metric_of(mixed)


def test_a_metric_with_a_way_to_go_names_its_target() -> None:
    with pytest.raises(Rejected, match="metric-must-name-its-target"):
        metric_of(MetricBody(kind=MetricKind.NUMBER))


def test_a_metric_of_a_later_version_is_not_measured_by_this_one() -> None:
    with pytest.raises(Rejected, match="metric-cannot-be-measured"):
        progress_of(Metric(kind=MetricKind("dial"), start=None, target=None), Decimal(1))


@pytest.mark.parametrize(
    ("kind", "target", "value", "rule"),
    [
        (MetricKind.YES_NO, "1", "0.5", "yes-or-no-must-be-0-or-1"),
        (MetricKind.MILESTONES, "4", "5", "milestones-done-must-be-a-whole-number-up-to-all"),
        (MetricKind.MILESTONES, "4", "1.5", "milestones-done-must-be-a-whole-number-up-to-all"),
        (MetricKind.MILESTONES, "4", "-1", "milestones-done-must-be-a-whole-number-up-to-all"),
    ],
)
def test_a_value_that_the_kind_does_not_have_is_refused(kind: MetricKind, target: str, value: str, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        progress_of(Metric(kind=kind, start=Decimal(0), target=Decimal(target)), Decimal(value))


@pytest.mark.parametrize("figure", ["0.0000001", "1" * 25, "1e3", "NaN"])
def test_a_figure_out_of_bounds_is_no_request(figure: str) -> None:
    with pytest.raises(ValidationError):
        MetricBody.model_validate({"kind": "number", "target": figure})


def test_an_unknown_kind_is_no_request() -> None:
    with pytest.raises(
        ValidationError, match="must be one of number, percent, currency, yes-no, milestones, zones, keep"
    ):
        MetricBody.model_validate({"kind": "dial", "target": "1"})
