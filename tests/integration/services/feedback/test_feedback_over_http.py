"""Feedback over HTTP: given, read by those whom its visibility names, acknowledged, refused with a reason."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.services.feedback.conftest import ALICE, BOB, CARL, EVE, Company, feedback_to

TEXT = feedback_to(BOB)["text"]


async def items(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/feedback", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def refused(answer: httpx.Response, status: int, problem: str) -> dict[str, Any]:
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, document["type"]) == (status, f"urn:trellis:{problem}"), document
    return document


async def test_feedback_is_given_read_and_acknowledged(company: Company) -> None:
    goal = str(UUID(int=7))
    answer = await company.alice.post("/feedback", json=feedback_to(BOB) | {"goal": goal})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["version"], body["state"], answer.headers["ETag"]) == (1, "given", '"1"')
    assert answer.headers["Location"] == f"/feedback/v1/feedback/{body['id']}"
    await company.settled()

    [seen] = await items(company.bob)
    assert (seen["id"], seen["author"], seen["receiver"]) == (body["id"], str(ALICE), str(BOB))
    assert (seen["text"], seen["goal"], seen["allowed_actions"]) == (TEXT, goal, ["acknowledge"])

    acknowledged = await company.bob.post(f"/feedback/{body['id']}/acknowledge")
    assert (acknowledged.status_code, acknowledged.json()["state"]) == (200, "acknowledged")
    again = await company.bob.post(f"/feedback/{body['id']}/acknowledge")
    assert (again.status_code, again.json()["version"]) == (200, 2)
    await company.settled()
    shown = (await company.alice.get(f"/feedback/{body['id']}")).json()
    assert shown["acknowledged_at"] is not None
    assert shown["allowed_actions"] == []


@pytest.mark.parametrize(
    ("visibility", "readers"),
    [
        ("receiver", {"alice", "bob"}),
        ("receiver-and-manager", {"alice", "bob", "carl", "dana"}),
        ("manager", {"alice", "carl", "dana"}),
    ],
)
async def test_those_read_it_whom_the_visibility_names_and_for_others_it_is_not_there(
    company: Company, visibility: str, readers: set[str]
) -> None:
    identity = await company.given(company.alice, visibility=visibility)
    for name in ("alice", "bob", "carl", "dana", "eve", "hr"):
        client: httpx.AsyncClient = getattr(company, name)
        answer = await client.get(f"/feedback/{identity}")
        if name in readers:
            assert (answer.status_code, answer.json()["text"]) == (200, TEXT)
        else:
            await refused(answer, 404, "problem:not-found")
    assert [f["id"] for f in await items(company.carl, person=BOB)] == ([identity] if "carl" in readers else [])
    assert [f["id"] for f in await items(company.bob)] == ([identity] if "bob" in readers else [])


async def test_the_subject_of_a_private_note_cannot_tell_it_from_one_that_never_was(company: Company) -> None:
    note = await company.given(company.carl, visibility="manager")
    never = UUID(int=1)
    for path in ("/feedback/{}/acknowledge", "/feedback/{}"):
        method = "POST" if path.endswith("acknowledge") else "GET"
        one, other = [await company.bob.request(method, path.format(identity)) for identity in (note, never)]
        assert (one.status_code, one.json()["type"]) == (other.status_code, other.json()["type"])
        assert one.status_code == 404


async def test_what_somebody_received_is_for_them_and_the_managers_above_them(company: Company) -> None:
    await company.given(company.alice, visibility="receiver-and-manager")
    assert len(await items(company.dana, person=BOB)) == 1
    for stranger in (company.eve, company.alice, company.hr):
        await refused(await stranger.get("/feedback", params={"person": str(BOB)}), 404, "problem:not-found")


async def test_a_manager_without_the_role_reads_nothing_of_others(company: Company) -> None:
    identity = await company.given(company.alice, visibility="receiver-and-manager")

    async with company.service.client(CARL) as carl_as_employee:
        await refused(await carl_as_employee.get(f"/feedback/{identity}"), 404, "problem:not-found")


async def test_authors_list_what_they_gave_and_nobody_else_does(company: Company) -> None:
    identity = await company.given(company.alice, visibility="manager")
    assert [f["id"] for f in await items(company.alice, direction="given")] == [identity]
    answer = await company.carl.get("/feedback", params={"direction": "given", "person": str(ALICE)})
    await refused(answer, 404, "problem:not-found")


async def test_feedback_to_oneself_or_to_nobody_is_refused_by_name(company: Company) -> None:
    to_oneself = await company.alice.post("/feedback", json=feedback_to(ALICE))
    problem = await refused(to_oneself, 409, "rule:feedback-is-not-for-oneself")
    assert problem["values"] == {"receiver": str(ALICE)}
    nobody = str(UUID(int=99))
    to_nobody = await company.alice.post("/feedback", json=feedback_to(BOB) | {"receiver": nobody})
    problem = await refused(to_nobody, 409, "rule:person-is-not-known")
    assert problem["values"] == {"person": nobody}


async def test_only_the_receiver_acknowledges(company: Company) -> None:
    identity = await company.given(company.alice, visibility="receiver-and-manager")
    for reader in (company.alice, company.carl):
        await refused(await reader.post(f"/feedback/{identity}/acknowledge"), 403, "problem:forbidden")
    await refused(await company.eve.post(f"/feedback/{identity}/acknowledge"), 404, "problem:not-found")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "flattery"}, "kind"),
        ({"text": ""}, "text"),
        ({"text": "NUL \x00"}, "text"),
        ({"receiver": "103"}, "receiver"),
        ({"author": str(EVE)}, "author"),
    ],
)
async def test_what_makes_no_sense_is_refused_field_by_field(
    company: Company, wrong: dict[str, str], field: str
) -> None:
    answer = await company.alice.post("/feedback", json=feedback_to(BOB) | wrong)
    problem = await refused(answer, 422, "problem:invalid-request")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_the_same_key_gives_one_feedback_and_another_body_is_refused(company: Company) -> None:
    key = {"Idempotency-Key": "outage-praise"}
    first, second = [await company.alice.post("/feedback", json=feedback_to(BOB), headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    other = await company.alice.post("/feedback", json=feedback_to(EVE), headers=key)
    await refused(other, 422, "problem:idempotency-key-reused")
    await company.settled()
    assert len(await items(company.bob)) == 1


async def test_a_query_waits_for_the_command_whose_token_it_brings(company: Company) -> None:
    answer = await company.alice.post("/feedback", json=feedback_to(BOB))
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}
    behind = await company.bob.get("/feedback", headers=token)
    await refused(behind, 503, "problem:unavailable")
    assert behind.headers["Retry-After"] == "1"
    await company.settled()
    assert len((await company.bob.get("/feedback", headers=token)).json()["items"]) == 1


async def test_pages_lead_through_everything_once(company: Company) -> None:
    given = [await company.given(company.alice, text=f"Number {n}") for n in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await company.bob.get("/feedback", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == given[::-1]


async def test_nothing_answers_without_a_token(company: Company) -> None:
    for path in ("/feedback", f"/feedback/{UUID(int=1)}", "/check-ins"):
        await refused(await company.bob.get(path, headers={"Authorization": ""}), 401, "problem:unauthorized")
