"""Rules of measurements: the latest by business time counts, and of bounds to keep each period's."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.goals.domain.measurement import (
    Measured,
    Reading,
    first_day,
    measured,
    progress_after,
    progress_now,
    unmeasured,
)
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric, MetricKind
from tests.unit.services.goals.examples import fewer_tickets, figures

moments = st.datetimes(timezones=st.just(UTC))
readings = st.builds(Reading, figures, moments)
distinct_readings = st.lists(readings, min_size=1, max_size=5, unique_by=lambda reading: reading.at)


def keep(period: KeepPeriod = KeepPeriod.MONTH) -> Metric:
    bounds = Keep(least=Decimal(95), most=None, period=period)
    return Metric(kind=MetricKind.KEEP, start=None, target=None, keep=bounds)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day)


def known(metric: Metric, *read: tuple[str, str]) -> Measured:
    so_far = unmeasured(metric)
    for value, day in read:
        so_far = measured(metric, so_far, Reading(Decimal(value), at(day)))
    return so_far


def percent(metric: Metric, *read: tuple[str, str]) -> Decimal | None:
    progress = progress_now(metric, known(metric, *read))
    return None if progress is None else progress.capped


def test_before_the_first_measurement_a_goal_stands_at_its_start() -> None:
    assert unmeasured(fewer_tickets).value == 200
    assert percent(fewer_tickets) == 0


def test_what_has_no_start_is_not_measured_before_the_first_measurement() -> None:
    assert unmeasured(keep()).value is None
    assert percent(keep()) is None
    assert unmeasured(None).value is None


def test_the_current_value_is_the_latest_by_business_time() -> None:
    assert known(fewer_tickets, ("100", "2026-03-01T09:00Z"), ("150", "2026-02-01T09:00Z")).value == 100
    assert known(fewer_tickets, ("150", "2026-02-01T09:00Z"), ("100", "2026-03-01T09:00Z")).value == 100


def test_of_one_moment_the_measurement_that_was_recorded_later_counts() -> None:
    assert known(fewer_tickets, ("100", "2026-03-01T09:00Z"), ("90", "2026-03-01T09:00Z")).value == 90
    assert percent(keep(), ("90", "2026-03-01T09:00Z"), ("96", "2026-03-01T09:00Z")) == 100


def test_moments_are_compared_across_offsets() -> None:
    assert known(fewer_tickets, ("100", "2026-03-01T09:00+02:00"), ("90", "2026-03-01T08:00Z")).value == 90


@given(distinct_readings)
def test_the_current_value_is_the_same_in_any_order_of_recording(read: list[Reading]) -> None:
    ends: set[tuple[object, ...]] = set()
    for order in list(permutations(read))[:24]:
        so_far = unmeasured(keep())
        for reading in order:
            so_far = measured(keep(), so_far, reading)
        ends.add((so_far.latest, so_far.periods))
    assert len(ends) == 1


def test_the_share_of_measured_periods_that_kept_the_bound_is_the_progress() -> None:
    months = [("96", "2026-01-31T09:00Z"), ("94", "2026-02-28T09:00Z"), ("97", "2026-03-31T09:00Z")]
    assert percent(keep(), *months) == Decimal("66.666666666667")
    assert percent(keep(), *months, ("95", "2026-04-30T09:00Z")) == 75


def test_a_period_is_what_its_latest_measurement_says() -> None:
    assert percent(keep(), ("90", "2026-01-05T09:00Z"), ("96", "2026-01-31T09:00Z")) == 100
    assert percent(keep(), ("96", "2026-01-31T09:00Z"), ("90", "2026-01-05T09:00Z")) == 100


def test_a_period_without_a_measurement_is_neither_kept_nor_broken() -> None:
    assert percent(keep(), ("96", "2026-01-31T09:00Z"), ("96", "2026-04-30T09:00Z")) == 100


def test_a_late_measurement_changes_the_share_and_not_the_value() -> None:
    so_far = known(keep(), ("96", "2026-03-31T09:00Z"))
    late = Reading(Decimal(90), at("2026-01-31T09:00Z"))
    assert progress_after(keep(), so_far, late).capped == 50
    after = measured(keep(), so_far, late)
    assert (after.value, so_far.is_late(late)) == (96, True)


@pytest.mark.parametrize(
    ("period", "first"),
    [
        (KeepPeriod.DAY, date(2026, 8, 13)),
        (KeepPeriod.WEEK, date(2026, 8, 10)),
        (KeepPeriod.MONTH, date(2026, 8, 1)),
        (KeepPeriod.QUARTER, date(2026, 7, 1)),
    ],
)
def test_a_period_is_known_by_its_first_day(period: KeepPeriod, first: date) -> None:
    assert first_day(period, date(2026, 8, 13)) == first


def test_the_day_of_a_measurement_is_the_one_that_its_offset_shows() -> None:
    assert percent(keep(), ("96", "2026-02-01T00:30+02:00"), ("90", "2026-01-31T23:00+02:00")) == 50


@given(st.sampled_from(KeepPeriod), st.dates())
def test_every_day_lies_in_a_period_that_begins_no_later(period: KeepPeriod, day: date) -> None:
    first = first_day(period, day)
    assert first <= day
    assert first_day(period, first) == first
