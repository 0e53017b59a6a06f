"""Money: exact to the minor unit, from strings alone, of a size that a 64-bit integer of minor units holds."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from shared.schemas.money import Money


def money(amount: str, currency: str = "USD") -> Money:
    return Money.model_validate({"amount": amount, "currency": currency})


@pytest.mark.parametrize(
    ("amount", "currency", "minor"), [("12.5", "USD", 1250), ("12", "JPY", 12), ("1.234", "BHD", 1234)]
)
def test_an_amount_is_a_whole_number_of_minor_units(amount: str, currency: str, minor: int) -> None:
    assert money(amount, currency).minor == minor
    assert Money.from_minor(minor, currency) == money(amount, currency)


@pytest.mark.parametrize(("amount", "currency"), [("12.505", "USD"), ("12.5", "JPY"), ("1.2345", "BHD")])
def test_more_decimal_places_than_the_currency_has_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValidationError, match="has more decimal places than"):
        money(amount, currency)


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(ValidationError, match="is not an ISO 4217 currency"):
        money("1", "XXX")


def test_a_json_number_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be a string"):
        Money.model_validate_json('{"amount": 12.50, "currency": "USD"}')


def test_the_largest_amount_fits_64_bits_of_minor_units() -> None:
    assert money("999999999999999.999", "BHD").minor < 2**63


@pytest.mark.parametrize("amount", ["1000000000000000", "1" * 40])
def test_a_larger_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValidationError, match="has more than 15 digits"):
        money(amount)


def test_half_a_minor_unit_is_rounded_up() -> None:
    assert Money.rounded(Decimal("0.005"), "USD") == money("0.01")
    assert Money.rounded(Decimal("-0.005"), "USD") == money("-0.01")
