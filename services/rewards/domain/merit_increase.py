"""A merit increase in money: base x percentage x proration, rounded once; what exceeds the range is a lump sum."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from services.rewards.domain.merit_matrix import check_percent, compa_ratio, guideline_for, shown
from shared.eventsourcing.decider import Rejected
from shared.schemas.money import Money
from shared.schemas.people import SalaryPeriod
from shared.schemas.rewards import Award, MeritMatrix

_MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Pay:
    """A person's pay as the compensation feed states it; `revision` says which statement."""

    base_salary: Money
    range_minimum: Money
    range_maximum: Money
    per: SalaryPeriod
    revision: int

    def annual(self) -> "Pay":
        """The same pay stated for a year: a month's amounts times twelve."""
        if self.per == SalaryPeriod.YEAR:
            return self
        return Pay(
            base_salary=_times_twelve(self.base_salary),
            range_minimum=_times_twelve(self.range_minimum),
            range_maximum=_times_twelve(self.range_maximum),
            per=SalaryPeriod.YEAR,
            revision=self.revision,
        )


def _times_twelve(money: Money) -> Money:
    return Money.from_minor(money.minor * _MONTHS_PER_YEAR, money.currency)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def within(self, employed_from: date, employed_until: date | None) -> "Coverage":
        """The days of this period on which the person was employed.

        Raises:
            Rejected: there is none.
        """
        end = self.end if employed_until is None else min(self.end, employed_until)
        covered = Coverage(max(self.start, employed_from), end)
        if covered.days < 1:
            raise Rejected("not-employed-in-the-period", start=self.start, end=self.end)
        return covered


def proration(covered: Coverage, period: Coverage) -> Decimal:
    """Covered days over the period's actual days, 4 places half-up: a full leap year is exactly 1.0000."""
    return shown(Decimal(covered.days) / Decimal(period.days))


def merit_award(
    matrix: MeritMatrix, pay: Pay, *, rating: Decimal | None, percent: Decimal | None, prorated: Decimal
) -> Award:
    """What `percent` (none: the guideline's default) of the annual base is worth.

    `rating` is on the matrix's scale. Base x percent x proration is rounded half-up once, to the minor unit; the part
    that would lift the base above the range maximum is paid as a lump sum.

    Raises:
        Rejected: the percentage is outside minimum/maximum, or the currencies differ.
    """
    annual = pay.annual()
    currency = annual.base_salary.currency
    if {annual.range_minimum.currency, annual.range_maximum.currency} != {currency}:
        raise Rejected("pay-range-must-have-the-salary-currency", currency=currency)
    compa = compa_ratio(annual.base_salary.amount, annual.range_minimum.amount, annual.range_maximum.amount)
    guideline = guideline_for(matrix, rating, compa)
    chosen = guideline.default if percent is None else percent
    warnings = check_percent(guideline, chosen)
    amount = Money.rounded(annual.base_salary.amount * chosen * prorated / 100, currency)
    headroom = max(annual.range_maximum.minor - annual.base_salary.minor, 0)
    increase = min(amount.minor, headroom)
    return Award(
        percent=chosen,
        proration=prorated,
        compa_ratio=shown(compa),
        increase=Money.from_minor(increase, currency),
        lump_sum=Money.from_minor(amount.minor - increase, currency),
        amount=amount,
        warnings=warnings,
    )
