"""How a service refuses: a problem document, printed as it came and checked in the parts that a client relies on."""

from typing import Any

import httpx


def refused(answer: httpx.Response, status: int, problem: str) -> dict[str, Any]:
    """The problem document, whose type is `urn:trellis:<problem>`; `pytest -s` shows every answer verbatim."""
    print(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:trellis:{problem}", document
    assert document["status"] == status
    assert document["instance"] == answer.request.url.path
    return document


def wrong_field(answer: httpx.Response, field: str, value: Any) -> str:
    """A 422 that names one field and the value that was sent there; the message."""
    document = refused(answer, 422, "problem:invalid-request")
    [error] = document["errors"]
    assert (error["field"], error.get("value")) == (field, value)
    return error["message"]


def broken_rule(answer: httpx.Response, rule: str) -> dict[str, Any]:
    """A 409 that names the rule; what the rule saw."""
    document = refused(answer, 409, f"rule:{rule}")
    assert document["rule"] == rule
    return document["values"]
