"""What `ce_dataschema` names is there at the service, for anybody; nothing else became open with it."""

import json
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
from jsonschema import Draft202012Validator

from launcher.openapi import application
from launcher.processes import SERVICES
from shared.schemas.contract import goldens_of, schema_file
from shared.schemas.event import schema_uri
from shared.schemas.published import ALL

EVER_PUBLISHED: Final = sorted({*ALL.models, *ALL.upcasters})


@pytest.fixture(scope="module")
async def clients() -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """A client of each service, without a token."""
    made = {
        name: httpx.AsyncClient(transport=httpx.ASGITransport(application(name)), base_url="http://test")
        for name in SERVICES
    }
    yield made
    for client in made.values():
        await client.aclose()


@pytest.mark.parametrize("event_type", EVER_PUBLISHED)
async def test_the_schema_that_an_event_names_is_served_and_says_what_was_published(
    clients: dict[str, httpx.AsyncClient], event_type: str
) -> None:
    path = schema_uri(event_type).removeprefix("trellis:")
    answer = await clients[path.split("/")[1]].get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/schema+json")
    assert answer.content == schema_file(event_type).read_bytes()
    validator = Draft202012Validator(answer.json())
    for golden in goldens_of(event_type):
        assert [error.message for error in validator.iter_errors(json.loads(golden.read_bytes()))] == []


async def test_the_list_leads_to_each(clients: dict[str, httpx.AsyncClient]) -> None:
    for name, client in clients.items():
        items = (await client.get(f"/{name}/v1/schemas")).json()["items"]
        assert items
        assert {(await client.get(item["href"])).status_code for item in items} == {200}


async def test_what_a_client_has_already_is_not_sent_again(clients: dict[str, httpx.AsyncClient]) -> None:
    first = await clients["goals"].get("/goals/v1/schemas/GoalSet.v1.json")
    again = await clients["goals"].get(
        "/goals/v1/schemas/GoalSet.v1.json", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/goals/v1/schemas/Nothing.v1.json", 404),
        ("/goals/v1/schemas/..%2F..%2Fevent.py", 401),
        ("/goals/v1/schemas/GoalSet.v1.json/more", 401),
        ("/goals/v1/goals", 401),
        ("/goals/v1/openapi.json", 401),
    ],
)
async def test_nothing_else_is_open(clients: dict[str, httpx.AsyncClient], path: str, status: int) -> None:
    answer = await clients["goals"].get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
