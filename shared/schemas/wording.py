"""What is wrong with a value, in words of ours: pydantic's errors, told to who sent it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Told = Callable[[Mapping[str, Any]], str]
"""From what the rule saw (`ctx`) to the words."""


def _most(limit: int, what: str) -> str:
    return f"must have at most {limit} {what}{'' if limit == 1 else 's'}"


def _least(limit: int, what: str) -> str:
    return "must not be empty" if limit == 1 else f"must have at least {limit} {what}s"


_DATE: Final = "must be a date, such as 2026-12-31"
_MOMENT: Final = "must be a moment with its offset from UTC, such as 2026-12-31T12:00:00Z"
_WHOLE: Final = "must be a whole number"
_TRUTH: Final = "must be true or false"
_UUID: Final = "must be a UUID, such as 0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_LIST: Final = "must be a list"
_WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_type": "must be a text",
    "string_unicode": "must be a text of Unicode characters",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
}
_LIMITS: Final[Mapping[str, Told]] = {
    "decimal_max_places": lambda saw: _most(saw["decimal_places"], "decimal place"),
    "decimal_max_digits": lambda saw: _most(saw["max_digits"], "digit"),
    "decimal_whole_digits": lambda saw: _most(saw["whole_digits"], "digit") + " before the decimal point",
    "string_too_long": lambda saw: _most(saw["max_length"], "character"),
    "string_too_short": lambda saw: _least(saw["min_length"], "character"),
    "too_long": lambda saw: _most(saw["max_length"], "item"),
    "too_short": lambda saw: _least(saw["min_length"], "item"),
    "greater_than_equal": lambda saw: f"must be {saw['ge']} or more",
    "greater_than": lambda saw: f"must be more than {saw['gt']}",
    "less_than_equal": lambda saw: f"must be {saw['le']} or less",
    "less_than": lambda saw: f"must be less than {saw['lt']}",
    "string_pattern_mismatch": lambda saw: f"must match {saw['pattern']}",
    "literal_error": lambda saw: f"must be {saw['expected']}",
    "enum": lambda saw: f"must be {saw['expected']}",
    "value_error": lambda saw: str(saw["error"]),
}


def told(error: Mapping[str, Any]) -> str:
    """The words for one of `ValidationError.errors()`; a type of error that is ours brings its own."""
    kind: str = error["type"]
    if kind in _LIMITS and error.get("ctx"):
        return _LIMITS[kind](error["ctx"])
    return _WORDS[kind] if kind in _WORDS else str(error["msg"])
