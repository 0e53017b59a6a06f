"""A worker whose part stopped without a word says so, fails liveness and ends; one that waits for Kafka does not."""

import asyncio

import httpx

from services.goals.app import SERVICE
from shared.eventsourcing.pulse import Pulse
from shared.runtime.service import Runtime
from shared.runtime.worker import Worker
from shared.runtime.worker_app import create_worker
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases, running


async def test_a_part_that_makes_no_progress_fails_liveness_and_ends_the_process(
    postgres: Postgres, issuer: Issuer
) -> None:
    """There is no broker at all here: that alone is no reason to start anew."""
    databases, ended, ahead = await MigratedDatabases.of(SERVICE, postgres), asyncio.Event(), 0.0
    async with running(SERVICE, issuer, databases) as service:
        runtime = Runtime(SERVICE, service.runtime.settings.model_copy(update={"stall_seconds": 20}))
        worker = Worker(runtime, exit_process=ended.set)
        stuck = Pulse("timers", clock=lambda: asyncio.get_running_loop().time() + ahead)
        worker.watched.append(stuck)
        application = create_worker(worker)
        async with (
            application.router.lifespan_context(application),
            httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://worker") as client,
        ):
            assert (await client.get("/health/live")).status_code == 200
            assert (await client.get("/health/ready")).status_code == 503
            stuck.looked(work=True)
            ahead = 15.0
            stuck.looked(work=True)
            assert (await client.get("/health/live")).status_code == 200
            ahead = 30.0
            stuck.looked(work=True)
            live = await client.get("/health/live")
            assert (live.status_code, live.json()["status"]) == (503, "stalled")
            assert live.json()["reasons"] == ["timers has had work for 30 s and finished none of it"]
            status = (await client.get("/status")).json()
            assert status["stalled"] == live.json()["reasons"]
            assert "finished none of it" in status["last_error"]
            assert {"relay", "feed people", "timers"} <= status["parts"].keys()
            async with asyncio.timeout(30):
                await ended.wait()
    await databases.drop()
