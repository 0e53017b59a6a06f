"""Exports for tests: rows as an HR system writes them, and what an import makes of them."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from launcher.people_import.changes import Changes
from launcher.people_import.importing import Imported, compare
from launcher.people_import.mapping import Mapping
from launcher.people_import.reading import read
from launcher.people_import.roster import Roster

TODAY: Final = date(2026, 3, 1)
HEADER: Final = (
    "employee_number,given_name,family_name,manager,country,legal_entity,pay_group,hired_on,left_on,status,fte,"
    "base_salary,range_minimum,range_maximum,currency,per"
)
MAPPING: Final = Mapping()


class Silence:
    """No progress is shown."""

    def begin(self, what: str, total: int | None) -> None:
        """Nobody looks."""

    def advance(self, by: int) -> None:
        """Nobody looks."""


def row(number: str, manager: str = "", **facts: str) -> str:
    """A row that has nothing wrong with it, but for what is said otherwise."""
    usual = {
        "employee_number": number,
        "given_name": "Ada",
        "family_name": "Quist",
        "manager": manager,
        "country": "US",
        "legal_entity": "US01",
        "pay_group": "US-MONTHLY",
        "hired_on": "2020-01-31",
    }
    cells = {**usual, **facts}
    return ",".join(f'"{cells.get(name, "")}"' for name in HEADER.split(","))


def imported(
    folder: Path, rows: Iterable[str], *, header: str = HEADER, mapping: Mapping = MAPPING, roster: Roster | None = None
) -> Imported:
    """What an import of these rows would do."""
    source = folder / "export.csv"
    source.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return compare(read(source, mapping), mapping, roster or Roster(), today=TODAY, progress=Silence())


def published(changes: Changes, roster: Roster | None = None) -> Roster:
    """Who is known after the changes."""
    after = roster or Roster()
    for record in changes.records:
        after.take(record)
    return after


def complaints(found: Imported) -> list[tuple[int, str, str]]:
    """Row, column and value of each problem, as a person would look for it in the file."""
    return [(problem.row, problem.column, problem.value) for problem in found.checked.problems]


def reasons(found: Imported) -> Sequence[str]:
    return [problem.reason for problem in found.checked.problems]


def accepted(found: Imported) -> set[str]:
    return {employee.employee_number for employee in found.checked.employees}
