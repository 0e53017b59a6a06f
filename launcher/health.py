"""What a local process answers on its HTTP port: the few bytes that the launcher needs, without an HTTP library."""

import json
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 where nobody answered."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status == _OK


def ask(port: int, path: str, *, within: float = 2.0) -> Answer:
    """GET from 127.0.0.1; the body is JSON, or None."""
    connection = HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read()
    except (OSError, HTTPException):
        return Answer(0, None)
    finally:
        connection.close()
    with suppress(ValueError):
        return Answer(response.status, json.loads(text))
    return Answer(response.status, None)


def reasons(answer: Answer) -> str:
    """Why a process says that it is not ready."""
    if answer.status == 0:
        return "it does not answer"
    stated = answer.body.get("reasons") if isinstance(answer.body, dict) else None
    return "; ".join(map(str, stated)) if stated else f"it answers {answer.status}"
