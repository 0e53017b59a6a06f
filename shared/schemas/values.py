"""Value types of the published language: decimals from strings alone, text without NUL, enums open to later members."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, GetJsonSchemaHandler, PlainSerializer, StringConstraints
from pydantic.json_schema import JsonSchemaValue, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError

_UNKNOWN: Final = "(unknown)"
"""The name of what is no member: none can be called so."""


class OpenEnum(StrEnum):
    """An enum whose readers keep a member they do not know yet.

    A producer is closed by the type checker; a reader of an event gets an unknown member as a member that is not in
    the class and that writes itself back unchanged. Commands refuse unknown members: see `Known`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = _UNKNOWN
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        return self._name_ != _UNKNOWN

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema.pop("enum", None)
        schema["x-known-values"] = [member.value for member in cls]
        return schema


def _refuse_unknown(member: OpenEnum) -> OpenEnum:
    if not member.known:
        raise PydanticCustomError(
            "unknown_value",
            "must be one of {expected}",
            {"expected": ", ".join(m.value for m in type(member))},
        )
    return member


Enumeration = TypeVar("Enumeration", bound=OpenEnum)
Known = Annotated[Enumeration, AfterValidator(_refuse_unknown)]
"""An open enum that refuses members it does not know: for commands and request bodies."""


_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LONGEST: Final = 100
"""Characters: far beyond any figure, far below what would take long to multiply (`1E+999999999` is short to write)."""


def _decimal_from_string(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        number = _parsed(value.strip())
    else:
        raise PydanticCustomError("decimal_string", 'must be a string that holds a decimal number, such as "12.50"')
    if not number.is_finite():
        raise PydanticCustomError("decimal_string", "must be a finite number")
    return number


def _parsed(text: str) -> Decimal:
    if len(text) > _LONGEST or _DECIMAL.fullmatch(text) is None:
        raise PydanticCustomError("decimal_string", 'is not a decimal number such as "12.50"')
    return Decimal(text)


def plain(number: Decimal) -> str:
    """The number without an exponent, its trailing zeros kept."""
    return format(number, "f")


DecimalString = Annotated[
    Decimal,
    BeforeValidator(_decimal_from_string),
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["12.50"]}),
]
"""A decimal that is a string in JSON; a JSON number is refused, so that no float ever reaches a Decimal."""


def _refuse_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("no_nul", "must not contain the character NUL (U+0000)")
    return text


ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_refuse_nul)
]
"""One line: a title, a reason code; 1 to 200 characters."""
ReasonCode = Annotated[str, StringConstraints(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
"""Why, as a code such as `priorities-changed`: public topics carry no free text about a person."""
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), AfterValidator(_refuse_nul)
]
"""Free text: 1 to 10,000 characters."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, a path that leads elsewhere, a folder
        raise PydanticCustomError("unknown_zone", "must be an IANA time zone such as Europe/Berlin") from error
    return name


Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{1,60}$"), AfterValidator(_known_zone)]
"""The name of an IANA time zone: for settings and commands. Events hold it as plain text, whatever is known later."""
