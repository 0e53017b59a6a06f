"""A made-up company as an HR export: CSV, and beside it the mapping that `trellis people import` finds."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from launcher.failure import writing_into
from launcher.people_generation.country import COUNTRIES
from launcher.people_import.employee import Employee
from launcher.people_import.mapping import Fact

_COLUMNS: Final[dict[Fact, str]] = {
    "employee_number": "Employee number",
    "given_name": "Given name",
    "family_name": "Family name",
    "email": "E-mail",
    "manager": "Manager",
    "team": "Team",
    "country": "Country",
    "job_title": "Job title",
    "hired_on": "Hired on",
    "left_on": "Last day",
    "fte": "FTE",
    "base_salary": "Base salary",
    "range_minimum": "Range minimum",
    "range_maximum": "Range maximum",
}
_BY_COUNTRY: Final[dict[Fact, dict[str, str]]] = {
    "legal_entity": {country.code: country.legal_entity for country in COUNTRIES},
    "pay_group": {country.code: country.pay_group for country in COUNTRIES},
    "currency": {country.code: country.currency for country in COUNTRIES},
    "per": {country.code: country.per.value for country in COUNTRIES},
}


def write(file: Path, employees: Iterable[Employee]) -> Path:
    """Write the export, UTF-8, and its mapping; the mapping's place."""
    mapping = file.with_suffix(".toml")
    with writing_into(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as lines:
            sheet = csv.writer(lines, lineterminator="\n")
            sheet.writerow(_COLUMNS.values())
            sheet.writerows(_row(employee) for employee in employees)
        mapping.write_text(_mapping(), encoding="utf-8")
    return mapping


def _row(employee: Employee) -> list[object]:
    return [_cell(employee, fact) for fact in _COLUMNS]


def _cell(employee: Employee, fact: Fact) -> object:
    if fact in {"base_salary", "range_minimum", "range_maximum"}:
        paid = employee.compensation
        return "" if paid is None else getattr(paid, fact).amount
    value = getattr(employee, fact)
    return "" if value is None else value


def _mapping() -> str:
    """TOML; names and values hold no quotation marks."""
    lines = ["# What the columns of a generated company mean.", "", 'date_formats = ["%Y-%m-%d"]', "", "[columns]"]
    lines += [f'{fact} = "{column}"' for fact, column in _COLUMNS.items()]
    for fact, values in _BY_COUNTRY.items():
        lines += ["", f"[by_country.{fact}]", *(f'{code} = "{value}"' for code, value in values.items())]
    return "\n".join(lines) + "\n"
