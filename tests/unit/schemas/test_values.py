"""Value types of the published language: what they take, what they refuse, what they write back."""

from decimal import Decimal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.schemas.values import DecimalString, Zone


class Figure(BaseModel):
    value: DecimalString


@pytest.mark.parametrize("text", ["0", "12.50", "-10", " 7 ", "100000000000000000000000.000000000001"])
def test_a_decimal_is_read_from_a_string(text: str) -> None:
    assert Figure.model_validate({"value": text}).value == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", "1e5", "1E+999999999", "NaN", "Infinity", "1_000", "1,5", "+1", ".5", "٣", "9" * 101]
)
def test_what_the_published_pattern_does_not_allow_is_no_decimal(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a decimal number"):
        Figure.model_validate({"value": text})


@pytest.mark.parametrize("number", ["12.5", "12", "1e5", "true"])
def test_a_json_number_never_becomes_a_decimal(number: str) -> None:
    with pytest.raises(ValidationError, match="must be a string"):
        Figure.model_validate_json(f'{{"value": {number}}}')


@pytest.mark.parametrize("text", ["12.50", "0.10", "-0.000001"])
def test_a_decimal_is_written_back_with_its_trailing_zeros(text: str) -> None:
    assert Figure.model_validate({"value": text}).model_dump_json() == f'{{"value":"{text}"}}'


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../etc/passwd", "", "/etc/localtime", "Europe/Berlin\x00"])
def test_what_names_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Zone).validate_python(name)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12"])
def test_a_time_zone_is_known_by_its_iana_name(name: str) -> None:
    assert TypeAdapter(Zone).validate_python(name) == name
