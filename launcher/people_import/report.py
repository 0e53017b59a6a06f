"""The report of an import: every problem as a line, for a person at the terminal and as a file."""

import csv
import io
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

from rich.table import Table
from rich.text import Text

from launcher.failure import LaunchFailed
from launcher.people_import.changes import Changes
from launcher.people_import.checking import Checked
from launcher.people_import.problem import Problem, shown

_SHOWN: Final = 30
_COLUMNS: Final = tuple(field.name for field in fields(Problem))


def summary(checked: Checked, changes: Changes) -> dict[str, int]:
    """What became of the rows."""
    return {
        "rows": checked.rows,
        "new": changes.new,
        "changed": changes.changed,
        "unchanged": changes.unchanged,
        "refused": checked.refused,
    }


def write(file: Path, checked: Checked, changes: Changes) -> None:
    """The problems as CSV, or as JSON with the summary where the file's name ends so.

    Raises:
        LaunchFailed: the file cannot be written.
    """
    try:
        if file.suffix.casefold() == ".json":
            file.write_text(_json(checked, changes), encoding="utf-8")
        else:
            file.write_text(_csv(checked), encoding="utf-8", newline="")
    except OSError as error:
        raise LaunchFailed(f"The report {file} cannot be written: {error.strerror}.") from error


def _json(checked: Checked, changes: Changes) -> str:
    content = {**summary(checked, changes), "problems": [asdict(problem) for problem in checked.problems]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _csv(checked: Checked) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    writer.writerows(asdict(problem) for problem in checked.problems)
    return text.getvalue()


def problem_table(checked: Checked) -> Table:
    """The first problems, as the terminal shows them."""
    more = len(checked.problems) - _SHOWN
    table = Table(
        title="Refused rows",
        title_justify="left",
        caption=f"and {more} more: --report FILE writes them all" if more > 0 else None,
        caption_justify="left",
    )
    for name in ("Row", "Column", "Value", "Reason"):
        table.add_column(name, justify="right" if name == "Row" else "left", overflow="fold")
    for problem in checked.problems[:_SHOWN]:
        table.add_row(
            *(Text(shown(text)) for text in (str(problem.row), problem.column, problem.value, problem.reason))
        )
    return table
