"""What a cell's text means: dates and amounts, read only where there is no doubt."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = r"(?P<month_name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_MIDNIGHT: Final = r"(?:[T ]0?0:00(?::00(?:\.0+)?)?)?"
_YEAR_FIRST: Final = re.compile(rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){_MIDNIGHT}")
_COMPACT: Final = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_NAMED: Final = (
    re.compile(rf"(?P<day>\d{{1,2}})[-. /]+{_MONTH}[-. /,]+(?P<year>\d{{4}})", re.IGNORECASE),
    re.compile(rf"{_MONTH} +(?P<day>\d{{1,2}}),? +(?P<year>\d{{4}})", re.IGNORECASE),
)
_DOTTED: Final = re.compile(rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}){_MIDNIGHT}")
_EITHER_WAY: Final = re.compile(rf"(\d{{1,2}})([-/])(\d{{1,2}})\2(\d{{4}}){_MIDNIGHT}")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_TOO_MUCH: Final = Decimal(10) ** 12
_DIGITS: Final = 20


class NotUnderstood(ValueError):  # noqa: N818 - named for the fact
    """The cell does not say what its column is for; the message says why."""


@lru_cache(maxsize=50_000)
def parse_date(text: str, formats: tuple[str, ...]) -> date:
    """The date in one of the stated formats, else in a way of writing that has one meaning only.

    Raises:
        NotUnderstood: there is none, or there are two.
    """
    found = _in_formats(text, formats) or _written_plainly(text)
    if not found and formats:
        raise NotUnderstood(f"is no date of the form {' or '.join(formats)}")
    if not found:
        found = _day_or_month_first(text)
    if len(found) > 1:
        raise NotUnderstood(f"may be {' or '.join(sorted(map(str, found)))}: state date_formats in the mapping")
    (only,) = found
    if not _FIRST_YEAR <= only.year <= _LAST_YEAR:
        raise NotUnderstood(f"is in the year {only.year}")
    return only


def _in_formats(text: str, formats: Sequence[str]) -> set[date]:
    found: set[date] = set()
    for pattern in formats:
        try:
            found.add(datetime.strptime(text, pattern).replace(tzinfo=UTC).date())
        except ValueError:
            continue
    return found


def _written_plainly(text: str) -> set[date]:
    """Year first, or with the month's English name."""
    for pattern in (_YEAR_FIRST, _COMPACT, *_NAMED):
        if match := pattern.fullmatch(text):
            return {_date(match.groupdict())}
    return set()


def _day_or_month_first(text: str) -> set[date]:
    if match := _DOTTED.fullmatch(text):
        return {_date(match.groupdict())}
    match = _EITHER_WAY.fullmatch(text)
    if match is None:
        raise NotUnderstood("is no date that is understood: state date_formats in the mapping")
    first, _, second, year = match.groups()
    readings = [(first, second), (second, first)]
    possible = {found for day, month in readings if (found := _existing(int(year), int(month), int(day))) is not None}
    if not possible:
        raise NotUnderstood("is a date that does not exist")
    return possible


def _date(parts: dict[str, str]) -> date:
    name = parts.get("month_name")
    month = _MONTHS.index(name[:3].casefold()) + 1 if name else int(parts["month"])
    found = _existing(int(parts["year"]), month, int(parts["day"]))
    if found is None:
        raise NotUnderstood("is a date that does not exist")
    return found


def _existing(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_number(text: str, decimal_separator: str) -> Decimal:
    """A number of zero or more, with or without grouped thousands.

    Raises:
        NotUnderstood: it is not, its groups are not of three digits, or it is beyond a million million.
    """
    grouping = "[,'\u2019 \u00a0\u202f]" if decimal_separator == "." else "[.'\u2019 \u00a0\u202f]"
    whole = rf"(?:[0-9]{{1,3}}({grouping})[0-9]{{3}}(?:\1[0-9]{{3}})*|[0-9]+)"
    if not re.fullmatch(rf"{whole}(?:{re.escape(decimal_separator)}[0-9]+)?", text):
        raise NotUnderstood(f"is no number ({decimal_separator!r} stands before decimals)")
    number = Decimal(re.sub(grouping, "", text).replace(decimal_separator, "."))
    if number >= _TOO_MUCH or len(number.as_tuple().digits) > _DIGITS:
        raise NotUnderstood("is out of all proportion")
    return number
