"""One row becomes an employee, or every reason why it does not."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from launcher.people_import.cells import NotUnderstood, parse_date, parse_number
from launcher.people_import.mapping import Fact, Mapping
from launcher.people_import.problem import CONTROL, Problem
from launcher.people_import.reading import Row, Sheet
from shared.schemas.money import Money
from shared.schemas.people import EmploymentStatus, SalaryPeriod

_LONGEST: Final = 200
_NOTHING: Final = date(1, 1, 1), Decimal(0)
"""Stands where a fact was refused; the row it belongs to is refused with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """Base salary and the job's range, for the same period."""

    base_salary: Money
    per: SalaryPeriod
    range_minimum: Money
    range_maximum: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """An employee as the export knows them: the manager is an employee number still."""

    row: int
    employee_number: str
    given_name: str | None
    family_name: str
    email: str | None
    manager: str | None
    team: str | None
    legal_entity: str
    pay_group: str
    country: str
    job_title: str | None
    hired_on: date
    left_on: date | None
    fte: Decimal
    status: EmploymentStatus
    compensation: Compensation | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row with all that is wrong with it; its number, where it has one, is known to be taken."""

    row: int
    employee_number: str
    problems: list[Problem]


def employee(row: Row, sheet: Sheet, mapping: Mapping, *, today: date) -> Employee | Refused:
    """What the row says, all or nothing."""
    cells = _Cells(row, sheet, mapping, country=mapping.value("country", row.cells.get("country", "")))
    found = Employee(
        row=row.number,
        employee_number=cells.required("employee_number"),
        given_name=cells.text("given_name") or None,
        family_name=cells.required("family_name"),
        email=cells.text("email") or None,
        manager=cells.text("manager") or None,
        team=cells.text("team") or None,
        legal_entity=cells.required("legal_entity"),
        pay_group=cells.required("pay_group"),
        country=_country(cells),
        job_title=cells.text("job_title") or None,
        hired_on=cells.date("hired_on") or _NOTHING[0],
        left_on=cells.date("left_on") if cells.text("left_on") else None,
        fte=_fte(cells),
        status=_status(cells, today),
        compensation=_compensation(cells),
    )
    if found.left_on is not None and found.left_on < found.hired_on:
        cells.refuse("left_on", f"is before the hiring on {found.hired_on}")
    if found.manager == found.employee_number:
        cells.refuse("manager", "is the employee's own number")
    return Refused(row.number, found.employee_number, cells.problems) if cells.problems else found


@dataclass(slots=True)
class _Cells:
    """A row's facts, and what was found wrong while they were asked for; each column is blamed once."""

    row: Row
    sheet: Sheet
    mapping: Mapping
    country: str
    problems: list[Problem] = field(default_factory=list[Problem])

    def text(self, fact: Fact) -> str:
        text = self.mapping.value(fact, self.row.cells.get(fact, ""), country=self.country)
        if len(text) > _LONGEST:
            self.refuse(fact, f"has {len(text)} characters, more than {_LONGEST}")
        elif CONTROL.search(text):
            self.refuse(fact, "holds control characters")
        return text

    def required(self, fact: Fact) -> str:
        text = self.text(fact)
        if not text:
            self.refuse(fact, self._why_missing(fact))
        return text

    def date(self, fact: Fact) -> date | None:
        try:
            return parse_date(text, self.mapping.date_formats) if (text := self.required(fact)) else None
        except NotUnderstood as error:
            self.refuse(fact, str(error))
            return None

    def number(self, fact: Fact) -> Decimal | None:
        try:
            return parse_number(text, self.mapping.decimal_separator) if (text := self.required(fact)) else None
        except NotUnderstood as error:
            self.refuse(fact, str(error))
            return None

    def refuse(self, fact: Fact, reason: str) -> None:
        column = self.sheet.title(fact)
        if all(problem.column != column for problem in self.problems):
            self.problems.append(Problem(self.row.number, column, self.row.cells.get(fact, "")[:80], reason))

    def _why_missing(self, fact: Fact) -> str:
        if self.country and fact in self.mapping.by_country:
            return f"is not known: the mapping's [by_country.{fact}] has no {self.country}"
        return "is missing" if fact in self.sheet.places else "is missing: neither a column nor the mapping gives it"


def _country(cells: _Cells) -> str:
    country = cells.required("country")
    if country and not re.fullmatch("[A-Z]{2}", country):
        cells.refuse("country", "is no ISO 3166 code of two letters: translate it in the mapping's [values.country]")
    return country


def _fte(cells: _Cells) -> Decimal:
    if not cells.text("fte"):
        return Decimal(1)
    fte = cells.number("fte")
    if fte is not None and not 0 < fte <= 1:
        cells.refuse("fte", "is not above 0 and at most 1")
    return fte or _NOTHING[1]


def _status(cells: _Cells, today: date) -> EmploymentStatus:
    """What the dates say; where the export states it too, the two must agree."""
    stated, left_on = cells.text("status"), cells.date("left_on") if cells.text("left_on") else None
    has_left = left_on is not None and left_on < today
    if not stated:
        return EmploymentStatus.LEFT if has_left else EmploymentStatus.ACTIVE
    status = EmploymentStatus(stated)
    if not status.known:
        cells.refuse("status", "is neither 'active' nor 'left': translate it in the mapping's [values.status]")
    elif left_on is not None and (status is EmploymentStatus.LEFT) != has_left:
        cells.refuse("status", f"is {stated}, but the last day is {left_on}")
    return status


def _compensation(cells: _Cells) -> Compensation | None:
    """Pay data, where the export has any: then salary, period, currency and the range are all needed."""
    if not any(cells.row.cells.get(fact) for fact in ("base_salary", "range_minimum", "range_maximum")):
        return None
    currency, per = cells.required("currency"), SalaryPeriod(cells.required("per") or SalaryPeriod.MONTH)
    if not per.known:
        cells.refuse("per", "is neither 'month' nor 'year'")
    amounts = [_money(cells, fact, currency) for fact in ("base_salary", "range_minimum", "range_maximum")]
    salary, minimum, maximum = amounts
    if salary is None or minimum is None or maximum is None:
        return None
    if minimum.amount > maximum.amount:
        cells.refuse("range_minimum", f"is above the range's maximum of {maximum.amount}")
    return Compensation(base_salary=salary, per=per, range_minimum=minimum, range_maximum=maximum)


def _money(cells: _Cells, fact: Fact, currency: str) -> Money | None:
    amount = cells.number(fact)
    if amount is None or not currency:
        return None
    try:
        return Money(amount=amount, currency=currency)
    except ValidationError as error:
        cells.refuse(fact, error.errors()[0]["msg"])
        return None
