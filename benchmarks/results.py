"""What a run says: tables on the terminal, and a file a question with every value."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Better, Comparison, Series
from benchmarks.question import Answer, Question
from shared.runtime.clock import now

FOLDER: Final = Path(__file__).with_name("results")


def write(question: Question, answer: Answer, *, seed: int, full: bool, machine: dict[str, Any]) -> Path:
    """The answer as JSON; an earlier one is replaced."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{question.name}.json"
    content = {
        "question": question.name,
        "asks": question.asks,
        "measured_at": now().isoformat(timespec="seconds"),
        "full": full,
        "seed": seed,
        "machine": machine,
        "sizes": answer.sizes,
        "series": [_told(series) for series in answer.series],
        "comparisons": [asdict(comparison) | {"met": comparison.met} for comparison in answer.comparisons],
        "notes": list(answer.notes),
    }
    file.write_text(json.dumps(content, indent=2) + "\n")
    return file


def _told(series: Series) -> dict[str, Any]:
    lowest, highest = series.spread
    values = list(series.values)
    return {
        "name": series.name,
        "unit": series.unit,
        "values": values,
        "median": series.median,
        "lowest": lowest,
        "highest": highest,
    }


def show(question: Question, answer: Answer, console: Console) -> None:
    """Two tables: what was measured, and how that compares."""
    table = Table(title=f"{question.name}: {question.asks}", title_justify="left")
    for heading in ("", "median", "lowest", "highest", "unit"):
        table.add_column(heading, justify="left" if heading in {"", "unit"} else "right")
    for series in answer.series:
        lowest, highest = series.spread
        table.add_row(series.name, number(series.median), number(lowest), number(highest), series.unit)
    console.print(table)
    if answer.comparisons:
        console.print(_comparisons(answer))
    for note in answer.notes:
        console.print(f"  {note}")


def _comparisons(answer: Answer) -> Table:
    table = Table()
    for heading in ("compared", "ours", "other", "ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading in {"compared", ""} else "right")
    for one in answer.comparisons:
        verdict = {True: "[green]met", False: "[red]missed", None: ""}[one.met]
        table.add_row(one.name, *cells(one), verdict)
    return table


def cells(comparison: Comparison) -> tuple[str, str, str, str]:
    """Ours, the other's, the ratio and the goal as text."""
    unit, sign = comparison.unit, ">=" if comparison.better is Better.HIGHER else "<="
    other = "" if comparison.other is None else f"{number(comparison.other)} {unit}"
    ratio = "" if comparison.ratio is None else f"{comparison.ratio:.2f}"
    measured = "" if comparison.ratio is not None else f" {unit}"
    goal = "" if comparison.goal is None else f"{sign} {number(comparison.goal)}{measured}"
    return f"{number(comparison.ours)} {unit}", other, ratio, goal


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
