"""What the tests ask of answers."""

from typing import Any

import httpx


def refused(answer: httpx.Response, status: int, problem: str) -> dict[str, Any]:
    """The problem document of a refusal of this kind."""
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["type"]) == (status, f"urn:trellis:{problem}"), document
    return document
