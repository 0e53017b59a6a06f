"""Turns a file's bytes into text, or says what the file is if it is no CSV."""

import codecs
from pathlib import Path
from typing import Final

from launcher.people_import.problem import FileRefused

STRAY: Final = "\ufeff\u200b\u200e\u200f"
"""Marks without a width that spreadsheets and web pages leave behind."""
_BINARY: Final = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
}
_MARKUP: Final = {"<": "a web page or XML", "{": "JSON", "[": "JSON"}


def text_of(source: Path, encoding: str | None) -> str:
    """The file's text: in `encoding`, else UTF-8 (with or without BOM), UTF-16 with BOM, or Windows-1252.

    Raises:
        FileRefused: it cannot be read or is no text of a table; the message says what it is.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise FileRefused(f"{source} cannot be read: {error.strerror}.") from error
    for start, kind in _BINARY.items():
        if content.startswith(start):
            raise FileRefused(f"{source} is no CSV: it is {kind}. Save the sheet as CSV.")
    text = _decoded(content, source, encoding)
    if not text.strip():
        raise FileRefused(f"{source} is empty.")
    if (kind := _MARKUP.get(text.lstrip(STRAY + " \t\r\n")[:1])) is not None:
        raise FileRefused(f"{source} is no CSV: it looks like {kind}. Save it as CSV.")
    return text


def _decoded(content: bytes, source: Path, encoding: str | None) -> str:
    candidates = [encoding] if encoding else _likely_encodings(content, source)
    for candidate in candidates:
        try:
            return content.decode(candidate)
        except UnicodeDecodeError:
            continue
        except LookupError as error:
            raise FileRefused(f"There is no encoding {candidate!r} (mapping: encoding).") from error
    raise FileRefused(f"{source} is not written in {' or '.join(candidates)}. State its encoding in the mapping.")


def _likely_encodings(content: bytes, source: Path) -> list[str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if b"\x00" in content[:4096].split(b"\n", 1)[0]:
        raise FileRefused(f"{source} is no CSV: it is a binary file.")
    return ["utf-8-sig", "windows-1252"]
