"""The edge: headers in, headers out, and the document that describes them."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.eventsourcing.partitioning import partition_of
from shared.runtime.caller import Role
from shared.runtime.logging import configure_logging
from tests.unit.runtime.conftest import GOAL, PERSON
from tests.unit.runtime.test_problems import BODY, PATH

CORRELATION = "0199a1b2-1111-7000-8000-000000000001"


async def edge(client: httpx.AsyncClient, headers: dict[str, str]) -> dict[str, Any]:
    answer = await client.get("/tests/v1/edge", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_command_answers_with_version_state_and_tokens(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=BODY)
    assert answer.json() == {"id": str(GOAL), "version": 3, "state": "active", "allowed_actions": ["cancel"]}
    assert answer.headers["etag"] == '"3"'
    assert answer.headers["consistency-token"] == f"{partition_of(f'bonus-{GOAL}', 12)}-77"
    assert answer.headers["location"] == f"/tests/v1/bonuses/{GOAL}"


async def test_the_callers_person_and_roles_come_from_the_token(client: httpx.AsyncClient, token: Any) -> None:
    seen = await edge(client, {"Authorization": f"Bearer {token(roles=[Role.MANAGER])}"})
    assert seen["person"] == str(PERSON)
    assert seen["roles"] == ["employee", "manager"]


async def test_the_correlation_id_is_taken_or_made_and_given_back(client: httpx.AsyncClient) -> None:
    given = await client.get("/tests/v1/edge", headers={"X-Correlation-Id": CORRELATION})
    assert given.json()["correlation"] == given.headers["x-correlation-id"] == CORRELATION
    made = await client.get("/tests/v1/edge")
    assert made.json()["correlation"] == made.headers["x-correlation-id"] != CORRELATION
    refused = await client.get("/tests/v1/fails/unforeseen", headers={"X-Correlation-Id": CORRELATION})
    assert refused.headers["x-correlation-id"] == CORRELATION


async def test_every_log_line_of_a_request_carries_its_ids(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(service="tests")
    headers = {"X-Correlation-Id": CORRELATION, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    await client.get("/tests/v1/fails/unforeseen", headers=headers)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["about to fail", "unforeseen failure"]
    assert {line["correlation_id"] for line in lines} == {CORRELATION}
    assert {line["trace_id"] for line in lines} == {"a" * 32}
    assert lines[1]["exception"][0]["exc_type"] == "RuntimeError"


async def test_conditions_are_read_from_their_headers(client: httpx.AsyncClient) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    seen = await edge(client, {"If-Match": '"7"', "Consistency-Token": "3-10, 3-12,5-1", "traceparent": trace})
    assert seen["expected"] == 7
    assert seen["consistency"] == {"3": 12, "5": 1}
    assert seen["traceparent"] == trace
    assert (await edge(client, {"traceparent": "nonsense"}))["traceparent"] is None


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("If-Match", "7"),
        ("If-Match", "*"),
        ("If-Match", 'W/"7"'),
        ("Consistency-Token", "x"),
        ("Consistency-Token", "1-2,"),
        ("Consistency-Token", "12-1"),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "k" * 201),
        ("Idempotency-Key", "two words"),
        ("X-Correlation-Id", "42"),
    ],
)
async def test_a_malformed_header_is_named(client: httpx.AsyncClient, header: str, value: str) -> None:
    answer = await client.get("/tests/v1/edge", headers={header: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == header


async def test_an_idempotency_key_knows_caller_route_and_request(client: httpx.AsyncClient) -> None:
    caller, route, key, first = (await edge(client, {"Idempotency-Key": "k-1"}))["key"]
    assert (caller, route, key) == (str(PERSON), "GET /edge", "k-1")
    assert (await edge(client, {"Idempotency-Key": "k-1"}))["key"][3] == first
    assert (await edge(client, {"Idempotency-Key": "k-1", "If-Match": '"1"'}))["key"][3] != first
    asked = await client.get("/tests/v1/edge?only=this", headers={"Idempotency-Key": "k-1"})
    assert asked.json()["key"][3] != first
    with_body = await client.request("GET", "/tests/v1/edge", content=b"{}", headers={"Idempotency-Key": "k-1"})
    assert with_body.json()["key"][3] != first


async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    parameters: dict[str, Any] = {"limit": 3}
    for pages_left in (2, 1, 0):
        page = (await client.get("/tests/v1/numbers", params=parameters)).json()
        seen += page["items"]
        parameters["cursor"] = page["next"]
        assert (page["next"] is None) == (pages_left == 0)
    assert seen == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"cursor": "?"}, "cursor"),
        ({"cursor": "WyJhIl0"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": ""}, "cursor"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    client: httpx.AsyncClient, parameters: dict[str, Any], field: str
) -> None:
    answer = await client.get("/tests/v1/numbers", params=parameters)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_parameter_that_the_route_does_not_have_is_refused_by_name(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tests/v1/numbers", params={"limit": 2})).status_code == 200
    answer = await client.get("/tests/v1/edge", params={"limt": 2, "colour": "red"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:trellis:problem:invalid-request")
    assert [error["field"] for error in answer.json()["errors"]] == ["limt", "colour"]
    assert "limt: is no parameter here; there are: only" in answer.json()["detail"]
    assert (await client.post(f"{PATH}?dry=true", json=BODY)).status_code == 422


async def test_health_needs_no_token_and_says_what_is_missing(
    stranger: httpx.AsyncClient, not_ready: list[str]
) -> None:
    assert (await stranger.get("/health/live")).json() == {"status": "live"}
    assert (await stranger.get("/health/ready")).json() == {"status": "ready", "reasons": []}
    not_ready.append("database: connection refused")
    try:
        answer = await stranger.get("/health/ready")
    finally:
        not_ready.clear()
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["database: connection refused"]


async def test_the_document_tells_of_tokens_conditions_and_problems(client: httpx.AsyncClient, app: FastAPI) -> None:
    document = (await client.get("/tests/v1/openapi.json")).json()
    assert document == app.openapi()
    operation = document["paths"]["/tests/v1/bonuses/{bonus}/set"]["post"]
    assert operation["security"] == [{"HTTPBearer": []}]
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert {p["name"] for p in operation["parameters"]} == {"bonus", "If-Match", "Idempotency-Key"}
    query = document["paths"]["/tests/v1/edge"]["get"]
    assert {p["name"] for p in query["parameters"]} == {"only", "Consistency-Token"}
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    assert "422" not in operation["responses"]
    assert "ProblemDocument" in document["components"]["schemas"]
    assert "FieldError" in document["components"]["schemas"]
    assert "/health/live" not in document["paths"]
