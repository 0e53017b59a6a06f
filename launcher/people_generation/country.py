"""Where the people of a made-up company work: their country with its currency, how pay is said there, and its level."""

from dataclasses import dataclass
from random import Random
from typing import Final

from shared.schemas.people import SalaryPeriod


@dataclass(frozen=True, slots=True)
class Country:
    """`share` is of the offices abroad; `level` turns a year's pay in dollars into the local currency.

    Pay is rounded to `step` units of it.
    """

    code: str
    currency: str
    per: SalaryPeriod
    share: float
    level: float
    step: int

    @property
    def legal_entity(self) -> str:
        return f"{self.code}01"

    @property
    def pay_group(self) -> str:
        return f"{self.code}-MONTHLY"


HOME: Final = Country("US", "USD", SalaryPeriod.YEAR, 0.16, 1.0, 500)
COUNTRIES: Final = (
    HOME,
    Country("DE", "EUR", SalaryPeriod.MONTH, 0.20, 0.78, 50),
    Country("GB", "GBP", SalaryPeriod.YEAR, 0.14, 0.66, 500),
    Country("IN", "INR", SalaryPeriod.YEAR, 0.20, 19.0, 10_000),
    Country("PL", "PLN", SalaryPeriod.MONTH, 0.10, 2.2, 100),
    Country("JP", "JPY", SalaryPeriod.MONTH, 0.09, 92.0, 1_000),
    Country("BR", "BRL", SalaryPeriod.MONTH, 0.08, 2.4, 100),
    Country("BH", "BHD", SalaryPeriod.MONTH, 0.03, 0.3, 10),
)
_BY_CODE: Final = {country.code: country for country in COUNTRIES}


def country(code: str) -> Country:
    """The country with this ISO 3166 code."""
    return _BY_CODE[code]


def office(around: Country, random: Random, *, moves: float) -> Country:
    """Where somebody works whose manager works in `around`: elsewhere with the probability `moves`."""
    if random.random() >= moves:
        return around
    return random.choices(COUNTRIES, weights=[country.share for country in COUNTRIES])[0]
