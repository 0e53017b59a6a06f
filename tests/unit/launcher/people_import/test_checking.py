"""All or nothing per row: every reason is named with row, column and value, and good rows go through."""

from pathlib import Path

import pytest

from launcher.people_import.mapping import Mapping
from launcher.people_import.problem import FileRefused
from tests.unit.launcher.people_import.exports import accepted, complaints, imported, published, reasons, row

WITH_PAY = {"base_salary": "5000", "range_minimum": "4000", "range_maximum": "9000", "currency": "USD", "per": "month"}

WRONG = {
    "no number": ({"employee_number": ""}, "employee_number", "is missing"),
    "no family name": ({"family_name": " "}, "family_name", "is missing"),
    "no hiring date": ({"hired_on": ""}, "hired_on", "is missing"),
    "no legal entity": ({"legal_entity": ""}, "legal_entity", "is missing"),
    "a date that does not exist": ({"hired_on": "2021-02-29"}, "hired_on", "is a date that does not exist"),
    "a date with two meanings": ({"hired_on": "03/04/2020"}, "hired_on", "may be 2020-03-04 or 2020-04-03"),
    "left before hired": ({"left_on": "2020-01-30"}, "left_on", "is before the hiring on 2020-01-31"),
    "left and active": (
        {"left_on": "2024-01-31", "status": "active"},
        "status",
        "is active, but the last day is 2024-01-31",
    ),
    "an unknown status": ({"status": "T"}, "status", "is neither 'active' nor 'left'"),
    "no country code": ({"country": "Germany"}, "country", "is no ISO 3166 code"),
    "working time in percent": ({"fte": "80"}, "fte", "is not above 0 and at most 1"),
    "no working time": ({"fte": "0"}, "fte", "is not above 0 and at most 1"),
    "the manager is oneself": ({"manager": "2"}, "manager", "is the employee's own number"),
    "a name without end": ({"family_name": "Q" * 201}, "family_name", "has 201 characters, more than 200"),
    "NUL in a name": ({"family_name": "Qu\0ist"}, "family_name", "holds control characters"),
    "salary in words": ({**WITH_PAY, "base_salary": "a lot"}, "base_salary", "is no number"),
    "a negative salary": ({**WITH_PAY, "base_salary": "-1"}, "base_salary", "is no number"),
    "salary with too many decimals": ({**WITH_PAY, "base_salary": "1.005"}, "base_salary", "more decimal places"),
    "salary in an unknown currency": ({**WITH_PAY, "currency": "XXX"}, "base_salary", "is not an ISO 4217 currency"),
    "salary without a currency": ({**WITH_PAY, "currency": ""}, "currency", "is missing"),
    "salary by the hour": ({**WITH_PAY, "per": "hour"}, "per", "is neither 'month' nor 'year'"),
    "salary without a range": ({"base_salary": "5000", "currency": "USD"}, "per", "is missing"),
    "a range upside down": (
        {**WITH_PAY, "range_minimum": "9001"},
        "range_minimum",
        "is above the range's maximum of 9000.00",
    ),
}


@pytest.mark.parametrize(("facts", "column", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_row_that_is_wrong_is_refused_and_the_others_go_through(
    tmp_path: Path, facts: dict[str, str], column: str, reason: str
) -> None:
    found = imported(tmp_path, [row("1"), row("2", **facts), row("3", "1")])
    assert accepted(found) == {"1", "3"}
    first = found.checked.problems[0]
    assert (first.row, first.column) == (3, column)
    assert reason in first.reason


def test_all_that_is_wrong_with_a_row_is_said_at_once(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1", family_name="", hired_on="soon", country="USA")])
    assert {column for _, column, _ in complaints(found)} == {"family_name", "hired_on", "country"}
    assert found.checked.refused == 1


def test_rows_with_the_same_number_are_all_refused(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1"), row("2"), row("2", family_name="Ek"), row("2", hired_on="soon")])
    assert accepted(found) == {"1"}
    assert {(line, value) for line, column, value in complaints(found) if column == "employee_number"} == {
        (3, "2"),
        (4, "2"),
        (5, "2"),
    }
    assert "is the number of row 4, 5 too" in reasons(found)


def test_who_reports_to_a_duplicate_is_refused_with_it(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1"), row("1"), row("2", "1")])
    assert accepted(found) == set()
    assert complaints(found)[-1] == (4, "manager", "1")


def test_an_unknown_manager_is_named(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1"), row("2", "77")])
    assert accepted(found) == {"1"}
    assert complaints(found) == [(3, "manager", "77")]
    assert reasons(found) == ["is nobody, neither in the file nor before"]


def test_a_manager_from_an_earlier_import_is_known(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1")]).changes)
    assert accepted(imported(tmp_path, [row("2", "1")], roster=roster)) == {"2"}


def test_placeholders_are_no_manager_but_a_person_may_be_called_null(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1", "NULL"), row("2", "-"), row("3", "N/A", family_name="Null")])
    assert accepted(found) == {"1", "2", "3"}
    assert [employee.manager for employee in found.checked.employees] == [None, None, None]
    assert found.checked.employees[2].family_name == "Null"


def test_a_leaver_is_who_left_before_today_and_the_last_day_counts(tmp_path: Path) -> None:
    rows = [row("1", left_on="2026-02-28"), row("2", left_on="2026-03-01"), row("3", left_on="2027-01-01")]
    statuses = [employee.status for employee in imported(tmp_path, rows).checked.employees]
    assert statuses == ["left", "active", "active"]


def test_who_has_no_pay_data_is_imported_without(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("1"), row("2", **WITH_PAY)])
    assert [employee.compensation is not None for employee in found.checked.employees] == [False, True]


def test_what_an_export_writes_is_translated_by_the_mapping(tmp_path: Path) -> None:
    mapping = Mapping(
        decimal_separator=",",
        values={"country": {"Deutschland": "DE"}, "status": {"aktiv": "active"}},
        defaults={"currency": "EUR", "per": "year"},
        by_country={"legal_entity": {"DE": "DE01"}, "pay_group": {"DE": "DE-MONTHLY"}},
    )
    facts = {"country": "Deutschland", "status": "aktiv", "legal_entity": "", "pay_group": "", "fte": "0,8"}
    pay = {"base_salary": "60.000,50", "range_minimum": "50000", "range_maximum": "70000"}
    (employee,) = imported(tmp_path, [row("1", **facts, **pay)], mapping=mapping).checked.employees
    assert (employee.country, employee.legal_entity, employee.pay_group) == ("DE", "DE01", "DE-MONTHLY")
    assert str(employee.fte) == "0.8"
    assert employee.compensation is not None
    assert employee.compensation.base_salary.minor == 6_000_050


def test_a_country_that_the_mapping_does_not_know_is_named(tmp_path: Path) -> None:
    mapping = Mapping(by_country={"legal_entity": {"DE": "DE01"}})
    found = imported(tmp_path, [row("1", country="FR", legal_entity="")], mapping=mapping)
    assert reasons(found) == ["is not known: the mapping's [by_country.legal_entity] has no FR"]


def test_a_fact_that_nothing_gives_is_one_message_and_not_one_a_row(tmp_path: Path) -> None:
    header = "employee_number,family_name,manager,hired_on"
    rows = [f"{number},Quist,,2020-01-31" for number in range(3)]
    with pytest.raises(FileRefused, match="Nothing says anybody's country, legal_entity, pay_group"):
        imported(tmp_path, rows, header=header)
    given = Mapping(defaults={"country": "US", "pay_group": "US-MONTHLY"}, by_country={"legal_entity": {"US": "US01"}})
    assert accepted(imported(tmp_path, rows, header=header, mapping=given)) == {"0", "1", "2"}
