"""Pay in a made-up company: a range per grade and country, and a salary within it."""

from decimal import Decimal
from random import Random
from typing import Final

from launcher.people_generation.country import Country
from launcher.people_import.employee import Compensation
from shared.schemas.money import Money
from shared.schemas.people import SalaryPeriod

_LOWEST_MIDDLE: Final = 46_000
"""US dollars a year: the middle of the range of grade 0."""
_PER_GRADE: Final = 1.19
_HALF_RANGE: Final = 0.2
_MONTHS: Final = 12


def compensation(grade: int, country: Country, random: Random) -> Compensation:
    """Most are paid near the middle of their range, nobody outside of it."""
    year = _LOWEST_MIDDLE * _PER_GRADE**grade * country.level
    middle = year / _MONTHS if country.per is SalaryPeriod.MONTH else year
    lowest, highest = _steps(middle * (1 - _HALF_RANGE), country), _steps(middle * (1 + _HALF_RANGE), country)
    return Compensation(
        base_salary=_money(round(random.triangular(lowest, highest)), country),
        per=country.per,
        range_minimum=_money(lowest, country),
        range_maximum=_money(highest, country),
    )


def raised(before: Compensation, country: Country, *, percent: int) -> Compensation:
    """So many percent more, as far as the range goes; a step at least."""
    steps = int(before.base_salary.amount) // country.step
    more = min(_money(steps + max(1, steps * percent // 100), country), before.range_maximum, key=lambda m: m.amount)
    return Compensation(
        base_salary=more, per=before.per, range_minimum=before.range_minimum, range_maximum=before.range_maximum
    )


def _steps(amount: float, country: Country) -> int:
    return max(1, round(amount / country.step))


def _money(steps: int, country: Country) -> Money:
    return Money(amount=Decimal(steps * country.step), currency=country.currency)
