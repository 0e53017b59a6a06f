"""`trellis log verify` and `refill` on a whole installation."""

import json

import pytest

from launcher.processes import SERVICES
from shared.runtime.caller import Role
from shared.runtime.clock import now
from tests.e2e.installation import Installation
from tests.integration.eventsourcing.running import until

pytestmark = pytest.mark.e2e


async def test_every_log_of_an_installation_is_verified(installation: Installation) -> None:
    said = await installation.trellis.run_well("log", "verify")
    assert said.count("no difference: what Kafka holds is what the store holds") == len(SERVICES)
    found = json.loads(await installation.trellis.run_well("log", "verify", "goals", "--json"))
    assert found["goals"]["sound"]


async def test_a_full_topic_is_not_refilled(installation: Installation) -> None:
    refused = await installation.trellis.run("log", "refill", "goals")
    assert refused.code == 1
    assert "goals.events is full" in " ".join(refused.output.split())


async def test_another_topic_needs_to_be_told_whose_log_it_copies(installation: Installation) -> None:
    assert (await installation.trellis.run("log", "verify", "--topic", "copy")).code == 2
    missing = await installation.trellis.run("log", "verify", "goals", "--topic", "nowhere.events")
    assert missing.code == 1
    assert "has no topic nowhere.events" in " ".join(missing.output.split())


async def test_when_the_development_clock_is_put_forward_what_is_then_due_happens(installation: Installation) -> None:
    head = installation.company.head
    today = now().date().isoformat()
    body = {"level": "person", "owner": str(head.person), "title": "Today", "starts_on": today, "ends_on": today}
    async with installation.client("goals", head.person, Role.MANAGER) as client:
        answer = await client.post("/goals", json=body)
        assert answer.status_code == 201, answer.text
        goal = f"/goals/{answer.json()['id']}"

        async def expired() -> bool:
            answer = await client.get(goal)
            return answer.status_code == 200 and answer.json()["expired"]

        assert not await expired()
        assert "ahead of the real time" in await installation.trellis.run_well("clock", "advance", "2d")
        await until(expired, what="the goal has expired")
