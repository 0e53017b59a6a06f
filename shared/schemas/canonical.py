"""Canonical JSON, as RFC 8785 writes it, of what is hashed to prove that it never changed.

Every number, id and date is a string there. So what makes RFC 8785 hard, how numbers are written, never comes up, and
names of ASCII letters sort alike by code points and by UTF-16: the standard library writes the very bytes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias
from uuid import UUID

from pydantic import BaseModel

from shared.schemas.values import plain

Canonical: TypeAlias = "str | Sequence[Canonical] | Mapping[str, Canonical] | None"


def canonical_text(content: object) -> str:
    """The one JSON text of this content: keys sorted, no blanks, equal numbers alike (50, 50.0 and 50.00 are "50").

    A field that has its default is left out, so that the text stays when a later version gets a field with one.

    Raises:
        TypeError: there is something in it that has no text of its own here, such as a float.
    """
    return json.dumps(_strings(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of(content: object) -> str:
    """SHA-256, in lower-case hex, over the canonical text in UTF-8."""
    return hashlib.sha256(canonical_text(content).encode()).hexdigest()


def _strings(content: object) -> Canonical:
    match content:
        case None:
            return None
        case BaseModel():
            fields = type(content).model_fields.items()
            said = {name: getattr(content, name) for name, field in fields if getattr(content, name) != field.default}
            return {name: _strings(value) for name, value in said.items()}
        case Mapping():
            return {str(name): _strings(value) for name, value in content.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case Enum():
            return str(content.value)
        case str():
            return content
        case Sequence() if not isinstance(content, bytes):
            return [_strings(item) for item in content]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return _figure(content)


def _figure(content: object) -> str:
    match content:
        case Decimal():
            return _shortest(content)
        case UUID():
            return str(content)
        case date() if not isinstance(content, datetime):
            return content.isoformat()
        case int() if not isinstance(content, bool):
            return str(content)
        case _:
            raise TypeError(f"{type(content).__name__} has no canonical text")


def _shortest(number: Decimal) -> str:
    text = plain(number)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
