"""Problem documents: every refusal names rule, field and value, and shows nothing of the inside."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.runtime.conftest import GOAL, PERSON

BODY: dict[str, Any] = {
    "title": "Sales",
    "target": "12.50",
    "amount": {"amount": "10.00", "currency": "USD"},
    "starts_on": "2026-01-01",
}
PATH = f"/tests/v1/bonuses/{GOAL}/set"


async def refused(client: httpx.AsyncClient, status: int, **changed: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={**BODY, **changed})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["instance"] == PATH
    return document


async def test_a_broken_rule_names_itself_and_what_it_saw(client: httpx.AsyncClient) -> None:
    document = await refused(client, 409, title="forbidden", target="90.00")
    assert document["type"] == "urn:trellis:rule:weights-must-total-100"
    assert document["rule"] == "weights-must-total-100"
    assert document["values"] == {"total": "90.00", "owner": str(PERSON), "why": "(a text of 200 characters)"}


@pytest.mark.parametrize(
    ("changed", "field", "value", "message"),
    [
        ({"target": 12.5}, "target", 12.5, 'must be a string that holds a decimal number, such as "12.50"'),
        ({"target": "a lot"}, "target", "a lot", "is not a decimal number"),
        (
            {"amount": 10.5},
            "amount",
            10.5,
            'must be an object; money, for one, is {"amount": "12.50", "currency": "USD"}, its amount a string',
        ),
        (
            {"amount": {"amount": 10.5, "currency": "USD"}},
            "amount.amount",
            10.5,
            'must be a string that holds a decimal number, such as "12.50"',
        ),
        (
            {"amount": {"amount": "10.505", "currency": "USD"}},
            "amount",
            {"amount": "10.505", "currency": "USD"},
            "10.505 has more decimal places than USD has (2)",
        ),
        ({"title": "a\x00b"}, "title", "a\x00b", "must not contain the character NUL (U+0000)"),
        ({"titel": "Sales"}, "titel", "Sales", "is not a field of this request"),
        ({"starts_on": "soon"}, "starts_on", "soon", "must be a date, such as 2026-12-31"),
        ({"note": "n" * 10_001}, "note", "(a text of 10001 characters)", "must have at most 10000 characters"),
    ],
)
async def test_a_wrong_field_is_named_with_its_value(
    client: httpx.AsyncClient, changed: dict[str, Any], field: str, value: Any, message: str
) -> None:
    document = await refused(client, 422, **changed)
    (error,) = document["errors"]
    assert error["field"] == field
    assert error["value"] == value
    assert error["message"].startswith(message)
    assert document["detail"].startswith(f"{field}: ")


async def test_all_wrong_fields_are_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"note": "a private remark"})
    document = answer.json()
    assert [error["field"] for error in document["errors"]] == ["title", "target", "amount", "starts_on"]
    assert {error["message"] for error in document["errors"]} == {"is required"}
    assert "a private remark" not in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)
)
WRONG = st.dictionaries(st.sampled_from([*BODY, "note", "plain", "unknown"]), JSON)


@given(changed=WRONG)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_body_makes_us_fail(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    text = json.dumps({**BODY, **changed})
    answer = await client.post(PATH, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize(
    ("value", "told"),
    [("[" * 400 + "]" * 400, "(a list)"), ('{"a": "' + "b" * 200 + '"}', "(an object)"), ("NaN", "nan"), ("[1]", [1])],
)
async def test_what_is_long_or_deep_is_told_by_its_kind(client: httpx.AsyncClient, value: str, told: Any) -> None:
    text = json.dumps({**BODY, "title": "here"}).replace('"here"', value)
    answer = await client.post(PATH, content=text, headers={"Content-Type": "application/json"})
    assert answer.json()["errors"][0]["value"] == told


async def test_of_very_many_errors_the_first_are_shown(client: httpx.AsyncClient) -> None:
    document = await refused(client, 422, **{f"unknown-{n}": 1 for n in range(200)})
    assert len(document["errors"]) == 50
    assert document["detail"].endswith("(and 199 more)")


async def test_a_lone_surrogate_is_shown_escaped(client: httpx.AsyncClient) -> None:
    text = json.dumps({**BODY, "title": "\ud800"})
    answer = await client.post(PATH, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "title"


@pytest.mark.parametrize(
    ("content", "content_type", "status", "slug"),
    [
        (b'{"title": ', "application/json", 400, "malformed-json"),
        (b"\xff\xfe\x00", "application/json", 400, "malformed-request"),
        (b"[" * 10_000, "application/json", 400, "malformed-request"),
        (b"title=Sales", "text/plain", 415, "not-json"),
        (b"", "application/json", 422, "invalid-request"),
        (b"[]", "application/json", 422, "invalid-request"),
        (b" " * 20_001, "application/json", 413, "body-too-large"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    client: httpx.AsyncClient, content: bytes, content_type: str, status: int, slug: str
) -> None:
    answer = await client.post(PATH, content=content, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:trellis:problem:{slug}"


async def test_a_body_that_grows_too_large_while_it_arrives_is_refused(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 1000

    answer = await client.post(PATH, content=pieces(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("how", "status", "slug", "header"),
    [
        ("conflict", 409, "conflict", None),
        ("version", 412, "precondition-failed", ("etag", '"2"')),
        ("key", 422, "idempotency-key-reused", None),
        ("behind", 503, "unavailable", ("retry-after", "1")),
        ("database", 503, "unavailable", ("retry-after", "5")),
        ("unforeseen", 500, "internal-error", None),
    ],
)
async def test_what_the_kernel_refuses_has_its_problem(
    client: httpx.AsyncClient, how: str, status: int, slug: str, header: tuple[str, str] | None
) -> None:
    answer = await client.get(f"/tests/v1/fails/{how}")
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:trellis:problem:{slug}"
    assert header is None or answer.headers[header[0]] == header[1]
    assert "secret inside" not in answer.text
    assert "5432" not in answer.text


async def test_routes_that_do_not_exist_answer_with_problems(client: httpx.AsyncClient) -> None:
    missing = await client.get("/tests/v1/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:trellis:problem:not-found")
    wrong_method = await client.delete(PATH)
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
    assert wrong_method.json()["type"] == "urn:trellis:problem:method-not-allowed"


@pytest.mark.parametrize("url", ["/tests/v1/fails/a%00b", "/tests/v1/numbers?cursor=%00"])
async def test_nul_in_an_address_is_refused(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:trellis:problem:malformed-url")
