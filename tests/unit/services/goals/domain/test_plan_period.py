"""The period of a plan: any, or one of the calendar's if the company wants that."""

from datetime import date

import pytest

from services.goals.domain.plan_period import PLAN_PERIOD, Period, refuse_wrong_period
from services.goals.domain.policy import DEFAULT
from shared.eventsourcing.decider import Rejected
from tests.unit.services.goals.policies import choosing


@pytest.mark.parametrize(
    ("period", "starts_on", "ends_on"),
    [
        (Period.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        (Period.QUARTER, date(2026, 4, 1), date(2026, 6, 30)),
        (Period.HALF_YEAR, date(2026, 7, 1), date(2026, 12, 31)),
        (Period.YEAR, date(2026, 1, 1), date(2026, 12, 31)),
        (Period.ANY, date(2026, 1, 7), date(2026, 1, 7)),
    ],
)
def test_a_plan_covers_a_period_of_the_calendar(period: Period, starts_on: date, ends_on: date) -> None:
    refuse_wrong_period(starts_on, ends_on, choosing(PLAN_PERIOD, period))


@pytest.mark.parametrize(
    ("period", "starts_on", "ends_on"),
    [
        (Period.MONTH, date(2026, 2, 2), date(2026, 3, 1)),
        (Period.QUARTER, date(2026, 2, 1), date(2026, 4, 30)),
        (Period.HALF_YEAR, date(2026, 1, 1), date(2026, 7, 1)),
        (Period.YEAR, date(2026, 1, 1), date(2026, 12, 30)),
        (Period.YEAR, date(9999, 1, 1), date(9999, 12, 31)),
    ],
)
def test_a_plan_that_covers_something_else_is_refused(period: Period, starts_on: date, ends_on: date) -> None:
    with pytest.raises(Rejected) as rejected:
        refuse_wrong_period(starts_on, ends_on, choosing(PLAN_PERIOD, period))
    assert rejected.value.rule == "goal-plan-must-cover-a-period"
    assert rejected.value.values == {"starts_on": starts_on, "ends_on": ends_on, "period": period}


def test_by_default_any_period_will_do() -> None:
    refuse_wrong_period(date(2026, 1, 7), date(2026, 9, 3), DEFAULT)
