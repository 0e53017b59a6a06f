"""Problem documents (RFC 9457): what every refused request is answered with."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json, to_jsonable_python
from starlette.responses import JSONResponse

from shared.schemas.values import plain

MEDIA_TYPE: Final = "application/problem+json"
LONGEST_VALUE_SHOWN: Final = 100
MOST_ERRORS_SHOWN: Final = 50


class FieldError(BaseModel):
    """One field that is wrong; `field` is its path in the body, or the parameter's name."""

    field: str = Field(examples=["metric.target"])
    value: Any = Field(default=None, examples=[12.5], description="What was sent; long texts are not repeated.")
    message: str = Field(examples=['must be a string that holds a decimal number, such as "12.50"'])


class ProblemDocument(BaseModel):
    """The body of every answer that refuses a request."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(
        description="Stable; a client tells problems apart by it.", examples=["urn:trellis:rule:pool-is-spent"]
    )
    title: str = Field(examples=["A rule forbids this"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["pool-is-spent (available=100.00, asked=250.00)"])
    instance: str | None = Field(default=None, description="The path that was asked.")
    rule: str | None = Field(default=None, description="The rule's stable slug.", examples=["pool-is-spent"])
    values: dict[str, Any] | None = Field(
        default=None, description="What the rule saw.", examples=[{"available": "100.00", "asked": "250.00"}]
    )
    errors: list[FieldError] | None = Field(default=None, description="The fields that are wrong, one by one.")


class Problem(Exception):  # noqa: N818 - the RFC's word
    """Raised anywhere under a route; the edge answers with its document."""

    def __init__(self, document: ProblemDocument, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(document.detail)
        self.document = document
        self.headers = dict(headers or {})


def problem(
    slug: str, *, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **fields: Any
) -> Problem:
    """A problem of type `urn:trellis:problem:<slug>`."""
    document = ProblemDocument(type=f"urn:trellis:problem:{slug}", title=title, status=status, detail=detail, **fields)
    return Problem(document, headers)


def not_found(what: str = "resource", identity: object = None) -> Problem:
    """404: it does not exist, or the caller may not know that it does."""
    named = what if identity is None else f"{what} {identity}"
    return problem("not-found", status=404, title="Not found", detail=f"There is no {named} that you may see.")


def unauthorized(detail: str, *, error: str | None = "invalid_token") -> Problem:
    """401, with the challenge of RFC 6750 (`error` None: no token was sent at all)."""
    challenge = 'Bearer realm="trellis"'
    if error is not None:
        challenge += f', error="{error}", error_description="{detail}"'
    headers = {"WWW-Authenticate": challenge}
    return problem("unauthorized", status=401, title="A valid token is needed", detail=detail, headers=headers)


def forbidden(action: str) -> Problem:
    """403: the caller may see it, yet may not do this with it."""
    return problem("forbidden", status=403, title="Not allowed", detail=f"You may not {action} here.", rule=action)


def precondition_failed(*, expected: int, actual: int) -> Problem:
    """412: If-Match names another version than the current one."""
    return problem(
        "precondition-failed",
        status=412,
        title="It has changed meanwhile",
        detail=f"If-Match asks for version {expected}; the current version is {actual}.",
        values={"expected": expected, "actual": actual},
        headers={"ETag": f'"{actual}"'},
    )


def conflict(detail: str = "Others kept changing it; try again.") -> Problem:
    """409: concurrent commands won every attempt."""
    return problem("conflict", status=409, title="Changed by others at the same time", detail=detail)


def unavailable(retry_after: int, detail: str) -> Problem:
    """503 with Retry-After in seconds."""
    headers = {"Retry-After": str(retry_after)}
    return problem("unavailable", status=503, title="Not available right now", detail=detail, headers=headers)


def key_reused(key: str) -> Problem:
    """422: the Idempotency-Key was used for another request."""
    return problem(
        "idempotency-key-reused",
        status=422,
        title="The Idempotency-Key belongs to another request",
        detail="The same Idempotency-Key came with another method, path, If-Match or body; use a new key.",
        errors=[FieldError(field="Idempotency-Key", value=shown(key), message="was used for another request")],
    )


def invalid(errors: Sequence[FieldError]) -> Problem:
    """422: these fields are wrong."""
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return problem(
        "invalid-request",
        status=422,
        title="The request is not valid",
        detail=f"{first.field}: {first.message}{more}",
        errors=list(errors[:MOST_ERRORS_SHOWN]),
    )


def rule_broken(rule: str, values: Mapping[str, Any]) -> Problem:
    """409, of type `urn:trellis:rule:<rule>`, with the values that the rule saw."""
    facts = {name: seen(value) for name, value in values.items()}
    told = ", ".join(f"{name}={value}" for name, value in facts.items())
    document = ProblemDocument(
        type=f"urn:trellis:rule:{rule}",
        title="A rule forbids this",
        status=409,
        detail=f"{rule} ({told})" if told else rule,
        rule=rule,
        values=facts,
    )
    return Problem(document)


def shown(value: Any) -> Any:
    """What a client sent, as an answer may repeat it: what is long or deep is only told by its kind."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)  # what JSON cannot hold
        case None | bool() | int() | float():
            return value
        case str() if len(value) > LONGEST_VALUE_SHOWN:
            return f"(a text of {len(value)} characters)"
        case str():
            return value.encode(errors="backslashreplace").decode()  # JSON may hold lone surrogates, UTF-8 may not
        case bytes():
            return f"({len(value)} bytes)"
        case _:
            return _nested(value)


def _nested(value: Any) -> Any:
    try:
        written = to_json(value, inf_nan_mode="strings")
    except ValueError:  # too deep, or not JSON
        written = b""
    if 0 < len(written) <= LONGEST_VALUE_SHOWN:
        return json.loads(written)
    return "(a list)" if isinstance(value, list) else "(an object)"


def seen(value: Any) -> Any:
    """What a rule saw: decimals as strings without exponent, lists and objects with all their values."""
    match value:
        case Decimal():
            return plain(value)
        case Mapping():
            return {str(name): seen(item) for name, item in cast("Mapping[Any, Any]", value).items()}
        case list() | tuple() | set() | frozenset():
            return [seen(item) for item in cast("Iterable[Any]", value)]
        case _:
            return shown(to_jsonable_python(value, fallback=lambda unknown: f"({type(unknown).__name__})"))


def response(failure: Problem, instance: str | None = None) -> JSONResponse:
    """The answer that carries the problem's document."""
    document = failure.document.model_copy(update={"instance": instance})
    return JSONResponse(
        document.model_dump(mode="json", exclude_none=True),
        status_code=document.status,
        headers=failure.headers,
        media_type=MEDIA_TYPE,
    )
