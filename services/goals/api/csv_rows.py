"""Rows of an uploaded CSV file, as measurements are reported: read whole or refused, before any row is answered."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, tzinfo
from typing import Any, Final

from services.goals.domain.kpi_month import ReportedMeasurement
from shared.eventsourcing.identifiers import derived
from shared.runtime.problems import FieldError, Problem, invalid, shown

_COLUMNS: Final = tuple(ReportedMeasurement.model_fields)
_REQUIRED: Final = ("kpi", "measured_at", "source")


def rows_of(body: bytes, zone: tzinfo, *, most: int) -> list[tuple[int, Any]]:
    """Each row with its line in the file (the heading is line 1), empty cells left out.

    A row without an id gets the one that its KPI, time and source give, so that the same file twice records once. A
    bare date is the beginning of that day in the zone.

    Raises:
        Problem: 422, it is not such a file.
    """
    text = _text(body)
    heading = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if heading.count(";") > heading.count(",") else ",")
    _refuse_wrong_heading(reader.fieldnames or [])
    rows = [(reader.line_num, _reported(row, zone)) for row in _lines(reader)]
    if len(rows) > most:
        raise _wrong("body", f"{len(rows)} rows", f"may have {most} rows; send the rest in another request")
    return rows


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong("body", shown(body), f"must be UTF-8; byte {error.start} is not") from error
    if not text.strip():
        raise _wrong("body", "", "must have a heading and rows")
    return text


def _lines(reader: "csv.DictReader[str]") -> Iterator[dict[Any, Any]]:
    try:
        yield from reader
    except csv.Error as error:
        raise _wrong("body", f"line {reader.line_num}", f"is not CSV: {error}") from error


def _refuse_wrong_heading(names: Any) -> None:
    if unknown := [name for name in names if name not in _COLUMNS]:
        raise _wrong("heading", unknown, f"must name columns of {', '.join(_COLUMNS)}")
    if missing := [name for name in _REQUIRED if name not in names]:
        raise _wrong("heading", missing, "these columns are required")
    if len(set(names)) < len(names):
        raise _wrong("heading", list(names), "must name each column once")


def _reported(row: dict[Any, Any], zone: tzinfo) -> dict[str, Any]:
    """`None` is the csv module's name for cells beyond the heading: they are told as a field that nobody knows."""
    said = {"beyond the heading" if name is None else name: cell for name, cell in row.items() if _filled(cell)}
    said = {name: cell.strip() if isinstance(cell, str) else cell for name, cell in said.items()}
    if (day := _bare_date(said.get("measured_at"))) is not None:
        said["measured_at"] = datetime.combine(day, time(), zone).isoformat()
    if "id" not in said and set(_REQUIRED) <= said.keys():
        said["id"] = f"csv-{derived(*(said[name] for name in _REQUIRED))}"
    return said


def _filled(cell: Any) -> bool:
    return bool(cell.strip() if isinstance(cell, str) else cell)


def _bare_date(cell: Any) -> date | None:
    try:
        return date.fromisoformat(cell) if cell and len(cell) == len("2026-03-31") else None
    except ValueError:
        return None  # said of this row alone, by the field's own rule


def _wrong(field: str, value: Any, message: str) -> Problem:
    return invalid([FieldError(field=field, value=value, message=message)])
