"""Rules of health: what was to be expected by now against what is."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.goals.domain.health import HealthGaps, Standing, expected, health_of
from shared.schemas.goal_health import Health

FIRST, LAST = date(2026, 1, 1), date(2026, 4, 10)
"""A hundred days, so that a day is one percent."""
GAPS = HealthGaps(at_risk=Decimal(10), off_track=Decimal(25))


def on(passed: int) -> date:
    return FIRST + timedelta(days=passed)


def standing(progress: str | None, *, said: Health | None = None, is_open: bool = True) -> Standing:
    return Standing(
        is_open=is_open,
        starts_on=FIRST,
        ends_on=LAST,
        progress=None if progress is None else Decimal(progress),
        said=said,
    )


@pytest.mark.parametrize(
    ("passed", "percent"), [(-400, "0"), (0, "0"), (1, "1"), (50, "50"), (99, "99"), (100, "100"), (400, "100")]
)
def test_what_is_expected_is_the_share_of_days_that_have_passed(passed: int, percent: str) -> None:
    assert expected(FIRST, LAST, on(passed)) == Decimal(percent)


def test_expected_is_kept_to_12_places_half_up() -> None:
    assert expected(date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, 3)) == Decimal("66.666666666667")


@pytest.mark.parametrize(
    ("progress", "health"),
    [
        ("100", Health.ON_TRACK),
        ("50", Health.ON_TRACK),
        ("40", Health.ON_TRACK),
        ("39.99", Health.AT_RISK),
        ("25", Health.AT_RISK),
        ("24.99", Health.OFF_TRACK),
        ("0", Health.OFF_TRACK),
    ],
)
def test_half_way_a_goal_is_on_track_at_risk_or_off_track_by_how_far_it_is_behind(
    progress: str, health: Health
) -> None:
    assert health_of(standing(progress), on(50), GAPS) is health


def test_thresholds_are_the_companys() -> None:
    strict = HealthGaps(at_risk=Decimal(0), off_track=Decimal(5))
    assert health_of(standing("49"), on(50), strict) is Health.AT_RISK
    assert health_of(standing("44"), on(50), strict) is Health.OFF_TRACK
    with pytest.raises(ValidationError, match="at_risk must not exceed off_track"):
        HealthGaps(at_risk=Decimal(30), off_track=Decimal(25))


def test_a_goal_past_its_end_that_nobody_closed_is_expired_whatever_was_said() -> None:
    assert health_of(standing("100"), LAST, GAPS) is Health.ON_TRACK
    day_after = LAST + timedelta(days=1)
    assert health_of(standing("100"), day_after, GAPS) is Health.EXPIRED
    assert health_of(standing(None, said=Health.ON_TRACK), day_after, GAPS) is Health.EXPIRED


def test_what_a_person_says_counts_before_what_is_computed() -> None:
    assert health_of(standing("100", said=Health.OFF_TRACK), on(50), GAPS) is Health.OFF_TRACK
    assert health_of(standing(None, said=Health.AT_RISK), on(50), GAPS) is Health.AT_RISK


def test_what_is_closed_or_was_never_measured_has_no_health() -> None:
    assert health_of(standing("100", is_open=False), on(50), GAPS) is None
    assert health_of(standing(None), on(50), GAPS) is None


def test_before_it_begins_a_goal_is_on_track() -> None:
    assert health_of(standing("0"), on(-5), GAPS) is Health.ON_TRACK


percents = st.decimals(min_value=0, max_value=100, places=2)


@given(percents, percents, st.integers(0, 99))
def test_more_progress_never_makes_a_goal_less_healthy(one: Decimal, other: Decimal, passed: int) -> None:
    order = [Health.OFF_TRACK, Health.AT_RISK, Health.ON_TRACK]

    def rank(progress: Decimal) -> int:
        health = health_of(standing(str(progress)), on(passed), GAPS)
        assert health is not None
        return order.index(health)

    assert rank(min(one, other)) <= rank(max(one, other))
