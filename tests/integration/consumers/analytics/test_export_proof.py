"""The completeness proof: what the files hold is what the event store holds, also when exports are killed.

A few kills in a usual run; TRELLIS_ANALYTICS_KILLS=20 for as many.
"""

import asyncio
import json
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.analytics.manifest import load, replace
from consumers.analytics.proving import FileAltered, differences, horizons_of, prove
from launcher.brokers.broker import Broker
from shared.eventsourcing.administration import log_status
from shared.eventsourcing.verification import verify
from shared.runtime.log_commands import as_json
from tests.conftest import NewTopic
from tests.integration.consumers.analytics.exports import command, commits, exported, rows
from tests.integration.eventsourcing.running import kafka_of, relaying, until
from tests.integration.eventsourcing.tally import TALLY, context, count, handler, kernel_engine, scalar, tally_id
from tests.servers.databases import Database

pytestmark = pytest.mark.kafka
KILLS: Final = int(os.environ.get("TRELLIS_ANALYTICS_KILLS", "3"))
EVENTS_A_KILL: Final = 400
SEED: Final = int(os.environ.get("TRELLIS_ANALYTICS_SEED", "1"))


class Store:
    """An event store with its topic."""

    def __init__(self, engine: AsyncEngine, kafka: Broker, topic: str) -> None:
        self.engine = engine
        self.kafka = kafka
        self.topic = topic

    async def publish(self, events: int) -> None:
        """So many more events, all of them published."""
        commands = handler(self.engine)
        for number in range(events // 10):
            await commands.handle(context(), TALLY, tally_id(number % 17), count(times=10))
        async with relaying(self.engine, kafka_of(self.kafka), self.topic):
            await until(self._published, what="everything published")

    async def _published(self) -> bool:
        status = await log_status(self.engine)
        return status.published == status.stored

    async def verified(self) -> Mapping[str, Any]:
        """What `trellis log verify --json` says."""
        found = await verify(self.engine, kafka_of(self.kafka), topic=self.topic, source="/trellis/tally")
        assert found.complete
        return {"tally": json.loads(json.dumps(as_json(found)))}


@pytest.fixture
async def store(database: Database, kafka: Broker, new_topic: NewTopic) -> Any:
    engine = await kernel_engine(database)
    yield Store(engine, kafka, await new_topic(partitions=12))
    await engine.dispose()


async def lacking(store: Store, folder: Path) -> list[str]:
    """Where the files and the store differ."""
    verified = await store.verified()
    return differences(prove(folder, horizons=horizons_of(verified)), verified)


async def test_an_export_is_proven_against_the_store_day_by_day(store: Store, tmp_path: Path) -> None:
    await store.publish(200)
    await exported(store.kafka, tmp_path, store.topic)
    assert await lacking(store, tmp_path) == []
    await store.publish(100)
    assert len(await lacking(store, tmp_path)) > 0
    await exported(store.kafka, tmp_path, store.topic)
    assert await lacking(store, tmp_path) == []


async def test_the_command_compares_with_what_the_store_was_verified_to_hold(store: Store, tmp_path: Path) -> None:
    await store.publish(50)
    bootstrap, folder = store.kafka.bootstrap, str(tmp_path / "new" / "folder")
    said, _ = await (await command("export", folder, "--topic", store.topic, bootstrap=bootstrap)).communicate()
    assert "50 new events" in said.decode()
    verified = json.dumps(await store.verified()).encode()
    process = await command("prove", folder, "--against", "-", bootstrap="")
    said, _ = await process.communicate(verified)
    assert (process.returncode, "no difference" in said.decode()) == (0, True), said.decode()
    await store.publish(10)
    process = await command("prove", folder, "--json", "--against", "-", bootstrap="")
    said, _ = await process.communicate(json.dumps(await store.verified()).encode())
    assert process.returncode == 1
    assert all("the store has" in difference for difference in json.loads(said)["differences"])


async def test_an_export_that_is_killed_at_any_moment_has_each_event_once(store: Store, tmp_path: Path) -> None:
    rnd, cut_short, rounds = random.Random(SEED), 0, 0
    while cut_short < KILLS:
        rounds += 1
        assert rounds <= 3 * KILLS, "the export ends before it can be killed"
        await store.publish(EVENTS_A_KILL)
        cut_short += await killed_at_random(store, tmp_path, rnd) and await lacking(store, tmp_path) != []
        assert len({row["id"] for row in rows(tmp_path)}) == len(rows(tmp_path))
    await exported(store.kafka, tmp_path, store.topic)
    assert await lacking(store, tmp_path) == []
    assert load(tmp_path).rows == await scalar(store.engine, "select count(*) from events")


async def killed_at_random(store: Store, folder: Path, rnd: random.Random) -> bool:
    """Whether the export was at work when it was killed: some moment after its next commit."""
    before = commits(folder)
    bootstrap, size = store.kafka.bootstrap, {"ANALYTICS_EVENTS_A_COMMIT": "5"}
    process = await command("export", str(folder), "--topic", store.topic, bootstrap=bootstrap, **size)
    while process.returncode is None and commits(folder) == before:  # noqa: ASYNC110 - its files tell
        await asyncio.sleep(0.002)
    await asyncio.sleep(rnd.uniform(0, 0.1))
    if process.returncode is None:
        process.kill()
    await process.communicate()
    return process.returncode == -9


async def test_positions_that_are_kept_apart_from_the_files_double_events(store: Store, tmp_path: Path) -> None:
    """The negative control: files of the last run beside positions of the one before, as two commits would leave."""
    await store.publish(50)
    await exported(store.kafka, tmp_path, store.topic)
    before = load(tmp_path).partitions
    await store.publish(50)
    await exported(store.kafka, tmp_path, store.topic)
    assert await lacking(store, tmp_path) == []
    replace(tmp_path, load(tmp_path).model_copy(update={"partitions": before}))
    await exported(store.kafka, tmp_path, store.topic)
    assert sum(" events, the store has " in line for line in await lacking(store, tmp_path)) > 0


async def test_a_file_that_was_altered_or_lost_is_named(store: Store, tmp_path: Path) -> None:
    await store.publish(20)
    await exported(store.kafka, tmp_path, store.topic)
    file = load(tmp_path).files[0].path
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[:-1] + b"?")
    with pytest.raises(FileAltered, match="is not the file that was written"):
        prove(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(FileAltered, match="is gone"):
        prove(tmp_path)
