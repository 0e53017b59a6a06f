"""Rules of a merit increase in money: exact in minor units, rounded once, prorated by actual days."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.rewards.domain.merit_increase import Coverage, Pay, merit_award, proration
from shared.eventsourcing.decider import Rejected
from shared.schemas.money import Money
from shared.schemas.people import SalaryPeriod
from shared.schemas.rewards import MeritMatrix
from tests.unit.services.rewards.examples import MATRIX, PAY, row, usd

WHOLE = Decimal("1.0000")
ANY_PERCENT = MeritMatrix(
    scale_minimum=Decimal(1),
    scale_maximum=Decimal(5),
    rows=(row(("1", None), ("0", None), "0", "0", "3", "100", "100"),),
)
LEAP_YEAR = Coverage(date(2024, 1, 1), date(2024, 12, 31))
YEAR = Coverage(date(2025, 1, 1), date(2025, 12, 31))


def paid(base: str, *, maximum: str = "80000.00", per: SalaryPeriod = SalaryPeriod.YEAR, currency: str = "USD") -> Pay:
    def money(amount: str) -> Money:
        return Money(amount=Decimal(amount), currency=currency)

    return Pay(money(base), money("1"), money(maximum), per, revision=1)


def test_a_full_leap_year_is_exactly_one() -> None:
    assert proration(LEAP_YEAR, LEAP_YEAR) == Decimal("1.0000")
    assert LEAP_YEAR.days == 366


def test_both_ends_of_the_coverage_count() -> None:
    one_day = Coverage(date(2025, 7, 1), date(2025, 7, 1))
    assert proration(one_day, YEAR) == Decimal("0.0027")


def test_who_was_hired_in_the_middle_is_covered_from_that_day_on() -> None:
    covered = YEAR.within(date(2025, 7, 2), None)
    assert (covered.days, proration(covered, YEAR)) == (183, Decimal("0.5014"))


def test_who_left_is_covered_until_that_day() -> None:
    assert YEAR.within(date(2020, 1, 1), date(2025, 1, 31)).days == 31


def test_who_was_not_employed_in_the_period_is_refused() -> None:
    with pytest.raises(Rejected, match="not-employed-in-the-period"):
        YEAR.within(date(2026, 1, 1), None)


def test_the_increase_is_base_times_percent_times_proration() -> None:
    award = merit_award(MATRIX, PAY, rating=Decimal("3.4"), percent=None, prorated=Decimal("0.5014"))
    assert (award.percent, award.amount) == (3, usd("902.52"))


def test_half_a_cent_is_rounded_up_once_at_the_end() -> None:
    award = merit_award(ANY_PERCENT, paid("100.50"), rating=Decimal(3), percent=Decimal(5), prorated=WHOLE)
    assert award.amount == usd("5.03")


def test_yen_have_no_decimal_places_and_dinars_three() -> None:
    yen = merit_award(
        ANY_PERCENT, paid("5000050", maximum="9000000", currency="JPY"), rating=Decimal(3), percent=None, prorated=WHOLE
    )
    dinars = merit_award(
        ANY_PERCENT, paid("1000.050", maximum="9000", currency="BHD"), rating=Decimal(3), percent=None, prorated=WHOLE
    )
    assert (str(yen.amount.amount), str(dinars.amount.amount)) == ("150002", "30.002")


def test_what_exceeds_the_range_maximum_becomes_a_lump_sum() -> None:
    award = merit_award(ANY_PERCENT, paid("79000.00"), rating=Decimal(3), percent=Decimal(5), prorated=WHOLE)
    assert (award.increase, award.lump_sum, award.amount) == (usd("1000.00"), usd("2950.00"), usd("3950.00"))


def test_who_is_above_the_range_gets_a_lump_sum_alone() -> None:
    award = merit_award(ANY_PERCENT, paid("90000.00"), rating=Decimal(3), percent=Decimal(1), prorated=WHOLE)
    assert (award.increase, award.lump_sum) == (usd("0.00"), usd("900.00"))


def test_a_monthly_salary_is_annualised() -> None:
    monthly = paid("5000.00", maximum="6666.67", per=SalaryPeriod.MONTH)
    assert monthly.annual().base_salary == usd("60000.00")
    award = merit_award(ANY_PERCENT, monthly, rating=Decimal(3), percent=Decimal(3), prorated=WHOLE)
    assert award.amount == usd("1800.00")


def test_the_unrated_get_the_catch_all_rows_default() -> None:
    award = merit_award(MATRIX, PAY, rating=None, percent=None, prorated=WHOLE)
    assert award.amount == usd("0.00")


def test_a_percent_beyond_the_guideline_warns() -> None:
    award = merit_award(MATRIX, PAY, rating=Decimal("3.4"), percent=Decimal("4.5"), prorated=WHOLE)
    assert award.warnings == ("merit-percent-above-the-guideline",)


def test_a_range_in_another_currency_is_refused() -> None:
    euros = replace(PAY, range_maximum=Money(amount=Decimal(80000), currency="EUR"))
    with pytest.raises(Rejected, match="pay-range-must-have-the-salary-currency"):
        merit_award(MATRIX, euros, rating=None, percent=None, prorated=WHOLE)


@for_all(
    st.integers(min_value=1, max_value=10**12),
    st.decimals(min_value=0, max_value=100, places=2),
    st.integers(min_value=1, max_value=366),
    st.sampled_from(["USD", "JPY", "BHD"]),
)
def test_the_parts_add_up_to_the_minor_unit_and_the_base_never_passes_the_maximum(
    base: int, percent: Decimal, days: int, currency: str
) -> None:
    maximum = 5 * 10**11
    pay = Pay(
        Money.from_minor(base, currency),
        Money.from_minor(1, currency),
        Money.from_minor(maximum, currency),
        SalaryPeriod.YEAR,
        revision=1,
    )
    prorated = proration(
        Coverage(date(2024, 1, 1), date.fromordinal(date(2024, 1, 1).toordinal() + days - 1)), LEAP_YEAR
    )
    award = merit_award(ANY_PERCENT, pay, rating=Decimal(3), percent=percent, prorated=prorated)
    exact = Decimal(base) * percent * prorated / 100
    assert award.increase.minor + award.lump_sum.minor == award.amount.minor
    assert abs(award.amount.minor - exact) <= Decimal("0.5")
    assert award.increase.minor == 0 or base + award.increase.minor <= maximum
