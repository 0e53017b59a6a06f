"""What went wrong as the problem that the client is told: one `match`, nothing of the inside in the answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.eventsourcing.database import is_transient
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.errors import Conflict, KeyReused, NotCaughtUp, VersionMismatch
from shared.privacy.errors import PersonErased
from shared.runtime import problems
from shared.runtime.caller import Caller
from shared.runtime.logging import logger
from shared.runtime.problems import FieldError, Problem, problem
from shared.schemas import wording

RETRY_AFTER: Final = 1
"""Seconds after which a client may ask again."""

_HTTP: Final[Mapping[int, tuple[str, str]]] = {
    400: ("malformed-request", "The request cannot be read"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    413: ("body-too-large", "The body is too large"),
}
_UNTRANSLATABLE: Final = "22021"
"""SQLSTATE of a character that the database cannot hold: NUL, in a text that no narrower type refused."""

log = logger(__name__)


Discreet: TypeAlias = Callable[[Caller, str, Rejected], Awaitable[Rejected]]
"""The refusal as a caller is told it, whose request has this path and body."""


async def tell_all(_caller: Caller, _asked: str, refusal: Rejected) -> Rejected:
    """Everybody is told all that the rule saw."""
    return refusal


def install(app: FastAPI, discreet: Discreet = tell_all) -> None:
    """Answer every failure under a route with its problem document."""

    async def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, Rejected):
            asked = f"{request.url.path} {(await request.body()).decode(errors='replace')}"
            return await _answer(request, await discreet(request.state.caller, asked, error))
        return await _answer(request, error)

    app.add_exception_handler(Rejected, refused)
    for kind in (Problem, VersionMismatch, KeyReused, Conflict, NotCaughtUp, PersonErased):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    return problems.response(problem_of(error), request.url.path)


def problem_of(error: Exception) -> Problem:
    """The problem that tells a client of this failure; what nobody foresaw is logged and answered with a bare 500."""
    match error:
        case Problem():
            return error
        case Rejected(rule=rule, values=values):
            return problems.rule_broken(rule, values)
        case PersonErased(person=person):
            return problems.rule_broken("person-is-erased", {"person": person})
        case RequestValidationError():
            return _invalid(error)
        case VersionMismatch(expected=expected, actual=actual):
            return problems.precondition_failed(expected=expected, actual=actual)
        case KeyReused(key=key):
            return problems.key_reused(key)
        case Conflict():
            return problems.conflict()
        case NotCaughtUp():
            return problems.unavailable(RETRY_AFTER, "What you ask for has not reached this view yet; ask again.")
        case HTTPException():
            return _http(error)
        case _:
            return _unforeseen(error)


def _http(error: HTTPException) -> Problem:
    slug, title = _HTTP.get(error.status_code, ("refused", "The request was refused"))
    return problem(slug, status=error.status_code, title=title, detail=str(error.detail), headers=error.headers)


def _unforeseen(error: Exception) -> Problem:
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _UNTRANSLATABLE:
        return problem(
            "malformed-text",
            status=422,
            title="The request is not valid",
            detail="A text holds a character that cannot be stored, such as NUL (U+0000).",
        )
    if is_transient(error):
        log.warning("a dependency is not available", exc_info=error)
        return problems.unavailable(5, "Something this service depends on does not answer; ask again.")
    log.error("unforeseen failure", exc_info=error)
    return problem(
        "internal-error",
        status=500,
        title="Something went wrong here",
        detail="It was logged; X-Correlation-Id of this answer finds it.",
    )


def _invalid(error: RequestValidationError) -> Problem:
    wrong: list[Mapping[str, Any]] = list(error.errors())
    first = wrong[0]
    if first["type"] == "json_invalid":
        detail = f"The body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}."
        return problem("malformed-json", status=400, title="The body is not JSON", detail=detail)
    if first["loc"] == ("body",) and isinstance(first["input"], bytes):
        return problem(
            "not-json",
            status=415,
            title="The body is not JSON",
            detail="Send the body as JSON, with the header Content-Type: application/json.",
        )
    return problems.invalid([_field_error(one) for one in wrong])


def _field_error(one: Mapping[str, Any]) -> FieldError:
    place, *path = one["loc"]
    field = ".".join(str(step) for step in path) or str(place)
    # what is missing has no value, and pydantic gives the whole object around it instead
    value = None if one["type"] == "missing" else problems.shown(one["input"])
    return FieldError(field=field, value=value, message=_message(one))


def _message(one: Mapping[str, Any]) -> str:
    if one["type"] in {"model_type", "model_attributes_type"}:
        return 'must be an object; money, for one, is {"amount": "12.50", "currency": "USD"}, its amount a string'
    return wording.told(one)
