"""`trellis up` and `down`: everything comes up, is kept, comes back after any death with all that was acknowledged."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

import launcher
from launcher.addresses import addresses, service_addresses
from launcher.brokers import apache, embedded
from launcher.people_import import last_import
from launcher.processes import NAMES, SERVICES
from launcher.token import issue_token
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.e2e.conftest import kafka_of_an_installation
from tests.e2e.trellis import Trellis

COMPANY = Path(launcher.__file__).parent / "company" / "hr_employees.csv"
GOAL = {
    "level": "organization",
    "title": "Answer every customer within a day",
    "metric": {"kind": "number", "start": "10", "target": "1", "unit": "days"},
    "starts_on": "2026-01-01",
    "ends_on": "2026-12-31",
}
EVERYTHING = {*NAMES, "postgres", "broker"}


@pytest.fixture(scope="module")
async def trellis(server_folder: Path) -> AsyncIterator[Trellis]:
    """An installation of this module's own, which it may kill."""
    command = Trellis(server_folder / "up")
    try:
        await command.up("--kafka", kafka_of_an_installation())
        imported = await command.run("people", "import", str(COMPANY))
        assert imported.code == 0, imported.output
        yield command
    finally:
        await command.down("--erase")
    assert not command.folder.exists()


def owner(trellis: Trellis) -> PersonId:
    return min(last_import.kept(trellis.folder).people)


def goals(trellis: Trellis) -> httpx.AsyncClient:
    token = issue_token(trellis.folder, owner(trellis), [Role.HR])
    return httpx.AsyncClient(
        base_url=f"{service_addresses(trellis.folder)['goals']}/goals/v1",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


async def set_goal(trellis: Trellis) -> str:
    """Its id; as soon as the service knows the people."""
    async with goals(trellis) as client, asyncio.timeout(30):
        while True:
            answer = await client.post("/goals", json={**GOAL, "owner": str(owner(trellis))})
            if answer.status_code == 201:
                return answer.json()["id"]
            assert "is nobody we know" in answer.text
            await asyncio.sleep(0.1)


async def shown(trellis: Trellis, goal: str) -> dict[str, Any]:
    """The goal in its read model, as soon as it is there."""
    async with goals(trellis) as client, asyncio.timeout(30):
        while True:
            answer = await client.get(f"/goals/{goal}")
            if answer.status_code == 200:
                return answer.json()
            assert answer.status_code == 404, answer.text
            await asyncio.sleep(0.1)


async def published(trellis: Trellis) -> list[bytes | None]:
    """The keys of all records of the goals' topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses(trellis.folder).broker.bootstrap)
    partitions = [TopicPartition("goals.events", number) for number in range(12)]
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        keys: list[bytes | None] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=200)
            keys += [record.key for records in batches.values() for record in records]
        return keys
    finally:
        await consumer.stop()


async def is_published(trellis: Trellis, goal: str) -> bool:
    """Whether the goal's events are in the topic, as soon as the relay has filled it again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            while True:
                if any(goal.encode() in (key or b"") for key in await published(trellis)):
                    return True
                await asyncio.sleep(0.2)
    return False


async def test_everything_is_up_and_says_where_it_is(trellis: Trellis) -> None:
    status = await trellis.status()
    assert status["ready"], status
    assert set(status["services"]) == {"goals", "feedback", "reviews", "rewards"}
    assert set(trellis.processes()) == EVERYTHING
    for service in status["services"].values():
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{service['address']}/health/ready")).status_code == 200


async def test_a_second_up_keeps_what_runs(trellis: Trellis) -> None:
    before = trellis.processes()
    await trellis.up()
    assert trellis.processes() == before


async def test_after_all_were_killed_everything_comes_back_with_what_was_acknowledged(trellis: Trellis) -> None:
    goal = await set_goal(trellis)
    for process in trellis.processes().values():
        process.kill()
    said = await trellis.up()
    assert "found dead" in said
    assert (await shown(trellis, goal))["title"] == GOAL["title"]
    assert await is_published(trellis, goal)


async def test_a_killed_broker_alone_costs_nothing(trellis: Trellis) -> None:
    goal = await set_goal(trellis)
    await shown(trellis, goal)
    trellis.processes()["broker"].kill()
    later = await set_goal(trellis)
    await trellis.up()
    for one in (goal, later):
        assert (await shown(trellis, one))["id"] == one
        assert await is_published(trellis, one)


async def test_down_and_up_lose_nothing(trellis: Trellis) -> None:
    goal = await set_goal(trellis)
    before = trellis.processes()
    await trellis.down()
    assert [name for name, process in before.items() if process.alive()] == []
    assert "nothing was running" in await trellis.down()
    assert not (await trellis.status())["ready"]
    await trellis.up()
    assert (await shown(trellis, goal))["id"] == goal


async def test_a_service_has_as_many_workers_as_are_asked_for_where_a_broker_shares_out(trellis: Trellis) -> None:
    before = trellis.processes()
    if addresses(trellis.folder).broker.kind == embedded.KIND:
        refused = await trellis.run("up", "--workers", "2")
        assert refused.code == 1
        assert "one worker there, not 2" in refused.output
        assert trellis.processes() == before
        return
    await trellis.up("--workers", "2")
    assert set(trellis.processes()) == EVERYTHING | {f"{service}-worker-2" for service in SERVICES}
    goals_workers = (await trellis.status())["services"]["goals"]["workers"]
    assert {name: worker["ready"] for name, worker in goals_workers.items()} == {
        "goals-worker": True,
        "goals-worker-2": True,
    }
    assert "goals-worker-2" in (await trellis.run("status")).output
    trellis.processes()["goals-worker-2"].kill()
    assert "goals-worker-2 was found dead" in await trellis.up()
    await trellis.up("--workers", "1")
    assert set(trellis.processes()) == EVERYTHING


async def test_topics_that_were_lost_with_their_folder_are_made_and_filled_again(trellis: Trellis) -> None:
    goal = await set_goal(trellis)
    trellis.processes()["broker"].kill()
    shutil.rmtree(trellis.folder / "kafka")
    await trellis.up()
    assert await is_published(trellis, goal)
    assert (await shown(trellis, await set_goal(trellis)))["title"] == GOAL["title"]


async def test_another_kind_of_broker_takes_over_with_every_event(trellis: Trellis) -> None:
    was = addresses(trellis.folder).broker.kind
    other = embedded.KIND if was == apache.KIND else apache.KIND
    if other == apache.KIND and not apache.available():
        pytest.skip("no Java and Maven")
    goal = await set_goal(trellis)
    await shown(trellis, goal)
    await trellis.up("--kafka", other)
    assert addresses(trellis.folder).broker.kind == other
    assert await is_published(trellis, goal)
    assert (await shown(trellis, await set_goal(trellis)))["title"] == GOAL["title"]
