"""Dates and amounts are read where there is no doubt, and refused where there is."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.people_import.cells import NotUnderstood, parse_date, parse_number

DATES = {
    "2013-06-17": date(2013, 6, 17),
    "2013/6/17": date(2013, 6, 17),
    "20130617": date(2013, 6, 17),
    "2013-06-17T00:00:00": date(2013, 6, 17),
    "2013-06-17 00:00": date(2013, 6, 17),
    "17.06.2013": date(2013, 6, 17),
    "3.4.2013": date(2013, 4, 3),
    "17-06-2013": date(2013, 6, 17),
    "06/17/2013": date(2013, 6, 17),
    "06/06/2013": date(2013, 6, 6),
    "17-Jun-2013": date(2013, 6, 17),
    "17 june 2013": date(2013, 6, 17),
    "Jun 17, 2013": date(2013, 6, 17),
    "29-02-2016": date(2016, 2, 29),
}


@pytest.mark.parametrize(("text", "expected"), DATES.items())
def test_a_date_that_can_mean_one_day_only_is_read(text: str, expected: date) -> None:
    assert parse_date(text, ()) == expected


def test_a_date_that_may_be_two_days_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(NotUnderstood, match="may be 2013-03-04 or 2013-04-03: state date_formats in the mapping"):
        parse_date("03/04/2013", ())


def test_the_mapping_settles_what_a_date_means() -> None:
    assert parse_date("03-04-2013", ("%d-%m-%Y",)) == date(2013, 4, 3)
    assert parse_date("03-04-2013", ("%m-%d-%Y",)) == date(2013, 3, 4)
    assert parse_date("2013-04-03", ("%d-%m-%Y",)) == date(2013, 4, 3)


def test_stated_formats_that_disagree_are_refused() -> None:
    with pytest.raises(NotUnderstood, match="may be"):
        parse_date("03-04-2013", ("%d-%m-%Y", "%m-%d-%Y"))


def test_a_date_against_the_stated_format_is_refused_though_it_could_be_guessed() -> None:
    with pytest.raises(NotUnderstood, match="no date of the form %d-%m-%Y"):
        parse_date("06-17-2013", ("%d-%m-%Y",))


@pytest.mark.parametrize("text", ["31-02-2013", "2013-02-29", "32.01.2013", "2013-13-01", "31 Jun 2013"])
def test_a_day_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="does not exist"):
        parse_date(text, ())


@pytest.mark.parametrize("text", ["soon", "41442", "17-06-13", "2013-06-17T22:00:00Z", "17062013", "1-2-3-4"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_date(text, ())


@pytest.mark.parametrize("text", ["0213-06-17", "9999-12-31"])
def test_a_year_out_of_all_proportion_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="is in the year"):
        parse_date(text, ())


@given(day=st.dates(date(1900, 1, 1), date(2100, 12, 31)), form=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d %b %Y"]))
def test_any_date_written_without_doubt_comes_back(day: date, form: str) -> None:
    assert parse_date(day.strftime(form), ()) == day


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        parse_date(text, ())
    except NotUnderstood:
        return


NUMBERS = {
    ("24000", "."): "24000",
    ("24000.50", "."): "24000.50",
    ("24,000.50", "."): "24000.50",
    ("1,234,567", "."): "1234567",
    ("24 000.50", "."): "24000.50",
    ("24'000.50", "."): "24000.50",
    ("24.000,50", ","): "24000.50",
    ("24000,5", ","): "24000.5",
    ("0", "."): "0",
}


@pytest.mark.parametrize(("written", "expected"), NUMBERS.items())
def test_an_amount_is_read_with_its_thousands(written: tuple[str, str], expected: str) -> None:
    assert parse_number(*written) == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    ["", "12,50", "1,23,456", "1,234.567,8", "-5", "$5", "5 USD", "1e4", "NaN", "Infinity", ".", "5.", "٣", "1 2"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_number(text, ".")


@pytest.mark.parametrize("text", ["1000000000000", "9" * 400, "0." + "1" * 400])
def test_an_amount_out_of_all_proportion_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood, match="proportion"):
        parse_number(text, ".")


@given(st.text(max_size=12), st.sampled_from([".", ","]))
def test_any_text_is_an_amount_of_zero_or_more_or_refused(text: str, separator: str) -> None:
    try:
        assert parse_number(text, separator) >= 0
    except NotUnderstood:
        return
