"""Two processes of the service: a goal is handed over in one, and the other knows at once who may do what with it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import httpx
import pytest

from services.goals.app import SERVICE
from shared.eventsourcing.decision import Context
from shared.runtime.caller import Role
from shared.runtime.process import create_service_api
from shared.runtime.service import Runtime
from tests.integration.services.goals.answers import refused
from tests.integration.services.goals.conftest import ALICE, BOB, COMPANY, HUGO, goal_of
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, running


@dataclass(frozen=True, slots=True)
class Processes:
    """Two api processes on the same databases: the people as clients of the one, their manager of the other."""

    alice: httpx.AsyncClient
    bob: httpx.AsyncClient
    hugo: httpx.AsyncClient

    async def goal(self) -> str:
        """Alice's, as the process that she asks remembers it."""
        return (await self.alice.post("/goals", json=goal_of(ALICE))).json()["id"]

    async def hand_over(self, goal: str) -> None:
        told = {"owner": str(BOB), "reason": "changed-teams"}
        answer = await self.hugo.post(f"/goals/{goal}/hand-over", json=told)
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def processes(databases: MigratedDatabases, issuer: Issuer) -> AsyncIterator[Processes]:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(running(SERVICE, issuer, databases))
        await one.knows(COMPANY)
        runtime = Runtime(SERVICE, one.runtime.settings)
        stack.push_async_callback(runtime.close)
        other = replace(one, runtime=runtime, app=create_service_api(runtime))
        alice, bob = [await stack.enter_async_context(one.client(person)) for person in (ALICE, BOB)]
        yield Processes(alice, bob, await stack.enter_async_context(other.client(HUGO, Role.MANAGER)))


async def test_the_new_owner_may_at_once(processes: Processes) -> None:
    goal = await processes.goal()
    await processes.hand_over(goal)
    assert (await processes.bob.post(f"/goals/{goal}/progress", json={"value": "7"})).status_code == 200


async def test_the_old_owner_may_no_more(processes: Processes) -> None:
    goal = await processes.goal()
    await processes.hand_over(goal)
    refused(await processes.alice.post(f"/goals/{goal}/progress", json={"value": "7"}), 409, "problem:conflict")
    refused(await processes.alice.post(f"/goals/{goal}/progress", json={"value": "7"}), 404, "problem:not-found")


async def test_without_the_guard_the_old_owner_still_may(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    def let_through(_context: Context, _stream: str, _state: object) -> None: ...

    monkeypatch.setattr(Context, "guard", let_through)
    goal = await processes.goal()
    await processes.hand_over(goal)
    assert (await processes.alice.post(f"/goals/{goal}/progress", json={"value": "7"})).status_code == 200


async def test_a_contributor_may_from_then_on_and_not_before(processes: Processes) -> None:
    goal = await processes.goal()
    recording = {"value": "7"}
    refused(await processes.bob.post(f"/goals/{goal}/progress", json=recording), 404, "problem:not-found")
    named = await processes.hugo.post(f"/goals/{goal}/contributors", json={"contributors": [str(BOB)]})
    assert named.status_code == 200, named.text
    assert (await processes.bob.post(f"/goals/{goal}/progress", json=recording)).status_code == 200
