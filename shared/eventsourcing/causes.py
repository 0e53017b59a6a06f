"""Why a record could not be applied, as it may be kept: without local variables and without what the record says."""

import json
import re
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared.eventsourcing.errors import WaitingFor
from shared.schemas.envelope import MalformedEnvelope

_LONGEST_MESSAGE: Final = 500
_LONGEST_TRACE: Final = 20_000
_FIELDS_SHOWN: Final = 5
_REMOVED: Final = "[…]"
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_]\w*")


@dataclass(frozen=True, slots=True)
class Cause:
    """`error`: the exception's full name, none where nothing failed; `trace`: its frames, with their source lines."""

    error: str | None
    message: str
    trace: str
    waiting_for: str | None = None


BEHIND: Final = Cause(None, "an earlier event of this stream is parked", "")


def malformed(reason: str) -> Cause:
    """A record whose headers are no envelope."""
    return Cause(_name(MalformedEnvelope), _storable(reason)[:_LONGEST_MESSAGE], "")


def cause_of(error: Exception, value: bytes | None) -> Cause:
    """The cause of a failure to apply a record that holds `value`.

    An exception's message may repeat what it was given: words of the record are taken out of it, and of what a
    database or a validation refuses only the names of columns, constraints and fields are told.
    """
    if isinstance(error, WaitingFor):
        return Cause(_name(type(error)), f"waiting-for:{error.fact}", "", error.fact)
    said = _words_of(value)
    trace = "\nThe exception above led to this one:\n".join(_block(one, said) for one in _chain(error))
    return Cause(_name(type(error)), _message(error, said), _storable(trace)[-_LONGEST_TRACE:])


def _chain(error: BaseException) -> list[BaseException]:
    """The exception with those that led to it, the first one first."""
    chain, seen = list[BaseException](), set[int]()
    led: BaseException | None = error
    while led is not None and id(led) not in seen:
        seen.add(id(led))
        chain.insert(0, led)
        led = led.__cause__ or (None if led.__suppress_context__ else led.__context__)
    return chain


def _block(error: BaseException, said: "re.Pattern[str] | None") -> str:
    frames = "".join(traceback.extract_tb(error.__traceback__).format())
    return f"{frames}{_name(type(error))}: {_message(error, said)}\n"


def _message(error: BaseException, said: "re.Pattern[str] | None") -> str:
    match error:
        case ValidationError():
            message = "; ".join(_fields(error))
        case DBAPIError(orig=orig):
            message = _refused(orig.__cause__ if orig is not None and orig.__cause__ is not None else orig)
        case asyncpg.PostgresError():
            message = _refused(error)
        case _:
            message = said.sub(_REMOVED, str(error)) if said else str(error)
    return _storable(message)[:_LONGEST_MESSAGE]


def _fields(error: ValidationError) -> Iterator[str]:
    """Which fields are wrong and how, without what they hold."""
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:_FIELDS_SHOWN]:
        yield f"{'.'.join(str(step) for step in one['loc']) or 'data'}: {one['type']}"


def _refused(error: BaseException | None) -> str:
    """What a database says: by its codes and its own names, since its messages repeat values."""
    names = ("sqlstate", "table_name", "column_name", "constraint_name")
    told = [f"{name.removesuffix('_name')} {value}" for name in names if (value := getattr(error, name, None))]
    kind = type(error).__name__
    return f"{kind} ({', '.join(told)})" if told else kind


def _words_of(value: bytes | None) -> "re.Pattern[str] | None":
    """Matches every word that the record's texts hold; ids are none, and numbers neither."""
    texts = _texts(value or b"")
    words = {word for text in texts if not _UUID.fullmatch(text) for word in _WORD.findall(text)}
    if not words:
        return None
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def _texts(value: bytes) -> Iterable[str]:
    try:
        return list(_leaves(json.loads(value)))
    except (ValueError, RecursionError):
        return [value.decode(errors="replace")]


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)
        case _:
            return


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _storable(text: str) -> str:
    """What an exception says may hold anything; PostgreSQL's text holds no NUL and no lone surrogate."""
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
