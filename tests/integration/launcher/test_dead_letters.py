"""`trellis dead-letters` and its routes: what is parked is shown, retried, given up, and nothing by mistake."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.goals.projections import goal_tree
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.event import encode
from shared.schemas.goals import GoalCancelled, GoalLevel, GoalSet
from shared.schemas.identifiers import PersonId
from tests.integration.eventsourcing.records import FakeRecord, Log
from tests.integration.launcher.operating import Operator

READER = goal_tree.PROJECTION.name
STREAM = f"goal-{derived('goal', 'parked')}"
SOMEBODY = PersonId(UUID(int=7))
GOAL_SET = GoalSet(
    level=GoalLevel.TEAM,
    owner=SOMEBODY,
    team="Support",
    title="Halve the open tickets",
    metric=None,
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 6, 30),
    parent=None,
)


@dataclass(frozen=True, slots=True)
class Parked:
    """Two events of a goal are parked for the goal tree: the first cannot be read, the second stands behind it."""

    operator: Operator
    admin: httpx.AsyncClient
    culprit: int
    behind: int

    async def says(self, *arguments: str) -> str:
        code, said = await self.operator.says("dead-letters", *arguments)
        assert code == 0, said
        return said

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.operator.service.runtime.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    async def everything(self) -> list[list[tuple[Any, ...]]]:
        tables = ("dead_letters", "dead_letter_acts", "goal_tree", "checkpoints")
        return [await self.rows(f"select * from {table} order by 1, 2, 3") for table in tables]  # noqa: S608 - constants

    async def mended(self) -> None:
        """The culprit can be read from now on."""
        async with self.operator.service.runtime.engine.begin() as connection:
            mend = text("update dead_letters set payload = :payload where id = :id")
            await connection.execute(mend, {"payload": encode(GOAL_SET).encode(), "id": self.culprit})


@pytest.fixture
async def parked(operator: Operator) -> AsyncIterator[Parked]:
    log = Log("goals.events", partitions=12)
    bad, good = log.append(STREAM, GOAL_SET), log.append(STREAM, GoalCancelled(reason="priorities-changed"))
    bad = FakeRecord(bad.topic, bad.partition, bad.offset, bad.headers, b'{"title": "Halve the open tickets"}')
    runtime = operator.service.runtime
    [reader] = [reader for reader in runtime.readers() if reader.name == READER]
    await reader.process(bad.topic, bad.partition, [bad, good])
    async with (
        operator.service.client(SOMEBODY, Role.ADMIN) as admin,
        runtime.engine.connect() as connection,
    ):
        ids = (await connection.execute(text("select id from dead_letters order by id"))).scalars().all()
        await connection.rollback()
        yield Parked(operator, admin, *ids)


async def test_what_is_parked_is_listed_by_its_culprit(parked: Parked) -> None:
    said = await parked.says("list", "goals")
    assert f" {parked.culprit} " in said
    assert STREAM in said
    assert "GoalSet.v1" in said
    assert "ValidationError: level: missing" in said
    [item] = json.loads(await parked.says("list", "goals", "--json"))
    assert (item["id"], item["standing"], item["parked"]) == (parked.culprit, "culprit", 2)
    assert (item["reader"], item["kind"], item["attempts"]) == (READER, "projection", 1)


async def test_a_dead_letter_is_shown_whole(parked: Parked) -> None:
    said = await parked.says("show", "goals", str(parked.culprit))
    for part in (
        "ValidationError",
        'File "',
        "ce_subject: " + STREAM,
        '{"title": "Halve the open tickets"}',
        "behind",
    ):
        assert part in said
    shown = json.loads(await parked.says("show", "goals", str(parked.behind), "--json"))
    assert [record["standing"] for record in shown["records"]] == ["culprit", "behind"]
    stored = {"reason": "priorities-changed", "comment": None, "amendment": None}
    assert (shown["payload_encoding"], json.loads(shown["payload"])) == ("utf-8", stored)


async def test_the_api_replays_the_stream_once_it_can_be_read(parked: Parked) -> None:
    await parked.mended()
    said = await parked.says("retry", "goals", STREAM)
    assert f"goals: {READER} applied 2 parked records of {STREAM}" in said
    assert await parked.rows("select state, version from goal_tree") == [("cancelled", 2)]
    assert "Nothing is parked." in await parked.says("list", "goals")
    [act] = json.loads(await parked.says("acts", "goals", "--json"))
    assert (act["act"], act["outcome"], act["stream"]) == ("retry", "2 applied", STREAM)


async def test_a_retry_that_fails_again_says_of_which_record_and_why(parked: Parked) -> None:
    before = await parked.rows("select id, payload, headers, culprit from dead_letters order by id")
    answer = await parked.admin.post(f"/admin/dead-letters/{parked.behind}/retry")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:trellis:problem:fails-again")
    assert problem["values"]["dead_letter"] == parked.culprit
    assert problem["values"]["error"] == "pydantic_core._pydantic_core.ValidationError"
    code, said = await parked.operator.says("dead-letters", "retry", "goals", str(parked.behind))
    assert code == 1
    assert "Nothing of the stream was applied" in said
    assert await parked.rows("select id, payload, headers, culprit from dead_letters order by id") == before
    assert await parked.rows("select attempts from dead_letters order by id") == [(3,), (1,)]
    assert await parked.rows("select * from goal_tree") == []


async def test_a_discarded_record_is_gone_and_the_answer_says_what_that_means(parked: Parked) -> None:
    said = await parked.says("discard", "goals", str(parked.culprit), "--reason", "set by mistake")
    assert f"The rows of {READER} lack this event." in said
    assert f"trellis dead-letters retry goals {STREAM}" in said
    await parked.says("retry", "goals", STREAM)
    said = await parked.says("acts", "goals")
    assert "set by mistake" in said
    assert "1 applied" in said


async def test_a_request_that_cannot_be_meant_changes_nothing(parked: Parked) -> None:
    before, culprit = await parked.everything(), parked.culprit
    refused: list[tuple[str, dict[str, Any] | None, int]] = [
        ("/999/retry", None, 404),
        ("/999/discard", {"reason": "no longer wanted"}, 404),
        ("/retry", {"stream": "goal-of-nobody"}, 404),
        ("/retry", {"stream": STREAM, "reader": "goal_bush"}, 404),
        (f"/{culprit}/discard", None, 422),
        (f"/{culprit}/discard", {}, 422),
        (f"/{culprit}/discard", {"reason": "  "}, 422),
        (f"/{culprit}/discard", {"reason": "x", "force": True}, 422),
        ("/retry", {"stream": "a NUL: \x00"}, 422),
        ("/abc/retry", None, 422),
        ("/99999999999999999999/retry", None, 422),
    ]
    for path, body, status in refused:
        answer = await parked.admin.post(f"/admin/dead-letters{path}", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
    assert await parked.everything() == before


async def test_looking_for_what_is_not_there_is_answered_with_a_problem(parked: Parked) -> None:
    assert (await parked.admin.get("/admin/dead-letters/999")).status_code == 404
    assert (await parked.admin.get("/admin/dead-letters?cursor=WzFlMzAwXQ")).status_code == 422
    assert (await parked.admin.get("/admin/dead-letters?reader=%00")).status_code in {400, 422}
    code, said = await parked.operator.says("dead-letters", "show", "goals", "999")
    assert (code, "There is no dead letter 999" in said) == (1, True)
    code, said = await parked.operator.says("dead-letters", "discard", "goals", str(parked.culprit))
    assert (code, "--reason" in said) == (2, True)


async def test_nobody_but_an_administrator_may_look_or_act(parked: Parked) -> None:
    async with parked.operator.service.client(SOMEBODY, Role.HR) as hr:
        for path in ("", f"/{parked.culprit}", "/acts"):
            assert (await hr.get(f"/admin/dead-letters{path}")).status_code == 403
        assert (await hr.post(f"/admin/dead-letters/{parked.culprit}/retry")).status_code == 403
