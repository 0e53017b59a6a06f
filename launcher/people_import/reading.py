"""Reads what people call CSV: whatever delimiter and stray blanks, but nothing that is no table."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from launcher.people_import.decoding import STRAY, text_of
from launcher.people_import.mapping import INDISPENSABLE, Fact, Mapping
from launcher.people_import.problem import FileRefused, Problem, shown

_DELIMITERS: Final = ",;\t|"
_HEADER_IS_WITHIN: Final = 20
"""Rows: blank ones, a title and Excel's `sep=;` may stand before the header."""
_LINES_OF_A_ROW: Final = 50
"""More lines than that in one row: a quotation mark that was never closed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's cells of the mapped columns, trimmed; `number` is the line of the file on which it begins."""

    number: int
    cells: dict[Fact, str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row whose quotation marks do not fit."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """A row as it stands, its cells trimmed."""

    number: int
    cells: list[str]
    lines: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that is a table and has the columns that the mapping asks for."""

    lines: list[str]
    delimiter: str
    header: Record
    places: dict[Fact, int]

    def title(self, fact: Fact) -> str:
        """The column's name in the file, or the fact's where the file has no such column."""
        return self.header.cells[self.places[fact]] if fact in self.places else fact

    def rows(self) -> Iterator[Row | Problem]:
        """Every row that is not blank, or what is wrong with its shape."""
        first, width = self.header.number - 1 + self.header.lines, len(self.header.cells)
        for record in _records(self.lines, self.delimiter, first=first, width=width):
            match record:
                case Unreadable():
                    yield Problem(record.number, "", record.text, record.reason)
                case Record(cells=cells) if _fits(cells, width):
                    yield Row(record.number, {fact: cells[place] for fact, place in self.places.items()})
                case Record(cells=cells) if any(cells):
                    beginning = self.delimiter.join(cells)[:80]
                    yield Problem(record.number, "", beginning, f"has {len(cells)} fields, the header has {width}")
                case Record():
                    pass


def read(source: Path, mapping: Mapping) -> Sheet:
    """The table in a file.

    Raises:
        FileRefused: it cannot be read, is no CSV, or lacks columns; the message says which.
    """
    lines = io.StringIO(text_of(source, mapping.encoding), newline="").readlines()
    names: dict[Fact, str] = {fact: _folded(name) for fact, name in mapping.column_names().items()}
    headers = [(_header(lines, d, set(names.values())), d) for d in mapping.delimiter or _DELIMITERS]
    header, delimiter = max(headers, key=lambda found: (_known(found[0], set(names.values())), len(found[0].cells)))
    _require_columns(mapping, header.cells, source)
    titles = [_folded(title) for title in header.cells]
    places: dict[Fact, int] = {fact: titles.index(name) for fact, name in names.items() if name in titles}
    return Sheet(lines, delimiter, header, places)


def _header(lines: list[str], delimiter: str, names: set[str]) -> Record:
    """Of the first rows, split so, the one with the most known columns; the first one if none has any."""
    candidates = [
        Record(record.number, _without_empty_end(record.cells), record.lines)
        for record in islice(_records(lines, delimiter), _HEADER_IS_WITHIN)
        if isinstance(record, Record) and any(record.cells)
    ]
    return max(candidates, key=lambda record: _known(record, names), default=Record(1, [], 1))


def _known(record: Record, names: set[str]) -> int:
    return len(names & {_folded(cell) for cell in record.cells})


def _require_columns(mapping: Mapping, header: Sequence[str], source: Path) -> None:
    titles = [_folded(title) for title in header]
    names = mapping.column_names()
    lacking: list[Fact] = [fact for fact, name in names.items() if _folded(name) not in titles]
    if any(fact in mapping.required() for fact in lacking):
        missing = [names[fact] for fact in lacking if fact in mapping.required() or _is_needed(fact, mapping)]
        silent = [fact for fact in INDISPENSABLE if fact not in names and _is_needed(fact, mapping)]
        titles_found = shown(", ".join(header[:30]))[:600] or "nothing"
        raise FileRefused(
            f"{source} lacks columns: {', '.join(_with_guess(name, titles) for name in missing)}.\n"
            + (f"The mapping does not say anybody's {', '.join(silent)} either.\n" if silent else "")
            + f"Its header is: {titles_found}.\nSay in a mapping what this file calls them, or what holds for all: "
            f"--mapping MAP.toml, or {source.with_suffix('.toml').name} beside it; docs/importing-people.md."
        )
    if twice := [name for name in mapping.column_names().values() if titles.count(_folded(name)) > 1]:
        raise FileRefused(f"{source} has the column {', '.join(twice)} more than once: which one counts?")


def _is_needed(fact: Fact, mapping: Mapping) -> bool:
    return fact in INDISPENSABLE and not mapping.gives(fact)


def _with_guess(name: str, titles: Sequence[str]) -> str:
    """The name, and the title that is the same words written otherwise: one alike may be another number or name."""
    same = [title for title in titles if _words(name) and _words(title) == _words(name)]
    return f"{name} (is it {same[0]!r}?)" if same else name


def _words(title: str) -> str:
    return "".join(character for character in _folded(title) if character.isalnum()).removesuffix("s")


def _records(
    lines: list[str], delimiter: str, *, first: int = 0, width: int | None = None
) -> Iterator[Record | Unreadable]:
    """The rows from line index `first` on; one that cannot be read, or that ran into others, costs itself alone."""
    start = first
    while start < len(lines):
        record = _record(lines, start, delimiter)
        if isinstance(record, Record) and record.lines > 1 and width is not None and not _fits(record.cells, width):
            record = Unreadable(start + 1, lines[start].strip()[:80], "a quotation mark is opened and not closed")
        yield record
        start += record.lines if isinstance(record, Record) else 1


def _record(lines: list[str], start: int, delimiter: str) -> Record | Unreadable:
    stop = start + _LINES_OF_A_ROW
    try:
        return _parsed(lines[start:stop], start, delimiter)
    except csv.Error as error:
        reason = f"its quotation marks do not fit: {error}"
    tight = re.sub(rf'"[ \t]+(?={re.escape(delimiter)}|[\r\n]|$)', '"', lines[start])
    try:
        return _parsed([tight, *lines[start + 1 : stop]], start, delimiter)
    except csv.Error:
        return Unreadable(start + 1, lines[start].strip()[:80], reason)


def _parsed(lines: list[str], start: int, delimiter: str) -> Record:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    cells = [" ".join(cell.strip(STRAY).split()).strip(STRAY) for cell in next(reader)]
    return Record(start + 1, cells, reader.line_num)


def _fits(cells: Sequence[str], width: int) -> bool:
    return len(cells) >= width and any(cells) and not any(cells[width:])


def _without_empty_end(cells: list[str]) -> list[str]:
    width = max((place for place, cell in enumerate(cells, 1) if cell), default=0)
    return cells[:width]


def _folded(title: str) -> str:
    return title.strip().casefold()
