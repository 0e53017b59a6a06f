"""Many measurements are one value: exact sums, rounded once; and a status on its threshold keeps it."""

from decimal import Decimal

import pytest

from services.goals.domain.kpi_value import KpiStatus, Totals, aggregated, ratio, reaches, status_of
from shared.schemas.kpis import KpiAggregation, KpiDirection, KpiThresholds

HUNDRED = Decimal(100)
three = Totals(
    count=3,
    valued=3,
    total=Decimal("10.0"),
    numerator=Decimal(2),
    denominator=Decimal(3),
    lowest=Decimal(1),
    highest=Decimal(7),
    last=Decimal("2.0000005"),
)


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        (KpiAggregation.RATIO_OF_SUMS, "66.666667"),
        (KpiAggregation.SUM, "10"),
        (KpiAggregation.MEAN, "3.333333"),
        (KpiAggregation.MIN, "1"),
        (KpiAggregation.MAX, "7"),
        (KpiAggregation.LAST, "2.000001"),
    ],
)
def test_measurements_are_aggregated_and_rounded_half_up_once(aggregation: KpiAggregation, value: str) -> None:
    assert aggregated(three, aggregation, HUNDRED) == Decimal(value)


@pytest.mark.parametrize("aggregation", list(KpiAggregation))
def test_nothing_measured_is_no_value_and_never_0(aggregation: KpiAggregation) -> None:
    assert aggregated(Totals(), aggregation, HUNDRED) is None


def test_a_busy_day_counts_more_in_a_ratio_of_sums() -> None:
    quiet_and_busy = Totals(count=2, valued=2, total=Decimal(150), numerator=Decimal(101), denominator=Decimal(202))
    assert aggregated(quiet_and_busy, KpiAggregation.RATIO_OF_SUMS, HUNDRED) == Decimal(50)
    assert aggregated(quiet_and_busy, KpiAggregation.MEAN, HUNDRED) == Decimal(75)


def test_large_sums_lose_no_digit() -> None:
    large = Totals(count=1, valued=1, total=Decimal("123456789012345678901234567890.123456"))
    assert aggregated(large, KpiAggregation.SUM, Decimal(1)) == Decimal("123456789012345678901234567890.123456")


def test_a_ratio_has_12_places_and_of_nothing_no_value() -> None:
    assert ratio(Decimal(1), Decimal(3), HUNDRED) == Decimal("33.333333333333")
    assert ratio(Decimal(0), Decimal(0), HUNDRED) is None


@pytest.mark.parametrize(
    ("direction", "value", "status"),
    [
        (KpiDirection.RISING, "95", KpiStatus.ON_TRACK),
        (KpiDirection.RISING, "94.999999", KpiStatus.AT_RISK),
        (KpiDirection.RISING, "90", KpiStatus.AT_RISK),
        (KpiDirection.RISING, "89.999999", KpiStatus.OFF_TRACK),
        (KpiDirection.FALLING, "90", KpiStatus.ON_TRACK),
        (KpiDirection.FALLING, "90.000001", KpiStatus.AT_RISK),
        (KpiDirection.FALLING, "95.000001", KpiStatus.OFF_TRACK),
    ],
)
def test_a_value_on_a_threshold_keeps_it(direction: KpiDirection, value: str, status: KpiStatus) -> None:
    rising = KpiThresholds(on_track=Decimal(95), at_risk=Decimal(90))
    falling = KpiThresholds(on_track=Decimal(90), at_risk=Decimal(95))
    thresholds = rising if direction is KpiDirection.RISING else falling
    assert status_of(Decimal(value), direction, thresholds) is status


def test_without_a_value_or_thresholds_nothing_is_judged() -> None:
    thresholds = KpiThresholds(on_track=Decimal(95), at_risk=Decimal(90))
    assert status_of(None, KpiDirection.RISING, thresholds) is KpiStatus.NOT_MEASURED
    assert status_of(Decimal(1), KpiDirection.RISING, None) is KpiStatus.NOT_JUDGED


def test_a_target_is_reached_by_the_way_that_is_better() -> None:
    assert reaches(Decimal(95), Decimal(95), KpiDirection.RISING)
    assert not reaches(Decimal(96), Decimal(95), KpiDirection.FALLING)
    assert reaches(None, Decimal(95), KpiDirection.RISING) is None
