"""A whole export, checked row by row: who goes through, and every reason why the others do not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from launcher.people_import.employee import Employee, Refused, employee
from launcher.people_import.feed import Advance
from launcher.people_import.mapping import INDISPENSABLE, Mapping
from launcher.people_import.problem import FileRefused, Problem
from launcher.people_import.reading import Sheet
from launcher.people_import.reporting_line import ReportingLine
from launcher.people_import.roster import Roster

_PER_STEP: Final = 500
"""Rows: progress that is told of each one takes longer than the check."""


@dataclass(slots=True)
class Checked:
    """The rows that go through, and the problems of the others in the file's order; `rows` are all that were read.

    `mentioned` are the employee numbers of both.
    """

    employees: list[Employee] = field(default_factory=list[Employee])
    problems: list[Problem] = field(default_factory=list[Problem])
    rows: int = 0
    mentioned: set[str] = field(default_factory=set[str])

    @property
    def refused(self) -> int:
        """Rows, not problems: one row may have several."""
        return len({problem.row for problem in self.problems})


def check(sheet: Sheet, mapping: Mapping, roster: Roster, *, today: date, advance: Advance = lambda _: None) -> Checked:
    """Everything that can be said of the export before anything is published.

    Raises:
        FileRefused: every row would lack the same fact.
    """
    _require_indispensable(sheet, mapping)
    checked = Checked()
    refused: list[Refused] = []
    for row in sheet.rows():
        checked.rows += 1
        if checked.rows % _PER_STEP == 0:
            advance(_PER_STEP)
        match row if isinstance(row, Problem) else employee(row, sheet, mapping, today=today):
            case Problem() as problem:
                checked.problems.append(problem)
            case Refused() as found:
                refused.append(found)
            case Employee() as found:
                checked.employees.append(found)
    checked.mentioned = {row.employee_number for row in (*checked.employees, *refused)}
    _refuse_duplicates(checked, refused, column=sheet.title("employee_number"))
    _check_reporting_line(checked, refused, roster, column=sheet.title("manager"))
    checked.problems += [problem for row in refused for problem in row.problems]
    checked.problems.sort(key=lambda problem: problem.row)
    return checked


def _require_indispensable(sheet: Sheet, mapping: Mapping) -> None:
    unknown = [fact for fact in INDISPENSABLE if fact not in sheet.places and not mapping.gives(fact)]
    if unknown:
        raise FileRefused(
            f"Nothing says anybody's {', '.join(unknown)}.\nAdd columns that are called so, or say in a mapping "
            "(--mapping MAP.toml) which columns say it, or what holds for all: docs/importing-people.md."
        )


def _refuse_duplicates(checked: Checked, refused: list[Refused], *, column: str) -> None:
    """Of two rows with the same number nobody can tell which one is right: both are refused."""
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for row in (*checked.employees, *refused):
        if row.employee_number:
            rows_of[row.employee_number].append(row.row)
    twice = {number: rows for number, rows in rows_of.items() if len(rows) > 1}
    refused += [Refused(row.row, row.employee_number, []) for row in checked.employees if row.employee_number in twice]
    checked.employees = [row for row in checked.employees if row.employee_number not in twice]
    checked.problems += [
        Problem(row, column, number, f"is the number of row {_listed([other for other in rows if other != row])} too")
        for number, rows in twice.items()
        for row in rows
    ]


def _listed(rows: Sequence[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return f"{shown}, ..." if len(rows) > 5 else shown  # noqa: PLR2004 - enough to find them


def _check_reporting_line(checked: Checked, refused: Sequence[Refused], roster: Roster, *, column: str) -> None:
    number_of = {person: number for number, person in roster.numbers().items()}
    known = {
        record.employee_number: number_of.get(record.manager) if record.manager else None
        for record in roster.people.values()
    }
    line = ReportingLine(checked.employees, known=known, refused={row.employee_number: row.row for row in refused})
    line.check()
    checked.employees = list(line.accepted.values())
    checked.problems += [
        Problem(employee.row, column, employee.manager or "", reason) for employee, reason in line.reasons.values()
    ]
