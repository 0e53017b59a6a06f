"""One command is one trace: from the request over the append, the relay and Kafka to what reads it."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import pytest

from launcher.brokers.broker import Broker
from launcher.topics import Topic
from services.goals.app import SERVICE
from shared.people.projection import apply
from shared.runtime.caller import Role
from shared.runtime.service import Runtime
from shared.schemas.goals import GoalSet
from tests.integration.eventsourcing.running import until
from tests.integration.services.goals.conftest import ALICE, COMPANY, HUGO, goal_of
from tests.servers.collector import CollectedSpan, Collector, collecting
from tests.servers.issuer import Issuer
from tests.servers.service import MASTER_KEY, MigratedDatabases, settings
from tests.servers.topics import create_empty

pytestmark = pytest.mark.kafka

READERS: Final = [  # one that GoalSet does not concern may pass over it, which is no work to trace
    f"apply {one.name}" for one in SERVICE.projections if one.events is None or GoalSet in one.events
]
MARKER: Final = "mk-told-to-nobody"


@dataclass(frozen=True, slots=True)
class Processes:
    api: Process
    worker: Process
    client: httpx.AsyncClient


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@asynccontextmanager
async def started(role: str, environment: dict[str, str]) -> AsyncGenerator[tuple[Process, str]]:
    """A process of the service, ready, and where it answers; stopped with the block."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.goals", role),
        env={**os.environ, **environment, "TRELLIS_HTTP_PORT": str(port)},
        stderr=DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    async def lives() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"{address}/health/live")).is_success
            except httpx.TransportError:
                return False

    try:
        await until(lives, seconds=60, what=f"{role} lives")
        yield process, address
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture
async def processes(
    kafka: Broker, databases: MigratedDatabases, issuer: Issuer, collector: Collector
) -> AsyncIterator[Processes]:
    """An api and a worker that trace."""
    await create_empty(kafka.bootstrap, [Topic("goals.events"), Topic("people.events")])
    async with AsyncExitStack() as stack:
        copies = await stack.enter_async_context(databases.copied())
        runtime = Runtime(SERVICE, settings(issuer, copies))
        async with runtime.engine.begin() as connection:
            await apply(connection, [(person.person, person) for person in COMPANY])
        await runtime.close()
        environment = {
            "TRELLIS_DATABASE_URL": copies.data.url,
            "TRELLIS_KEYS_DATABASE_URL": copies.keys.url,
            "TRELLIS_MASTER_KEY": MASTER_KEY,
            "TRELLIS_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "TRELLIS_KAFKA_IDEMPOTENCE": str(kafka.idempotent_producer),
            "TRELLIS_KAFKA_ASSIGNMENT": "group" if kafka.consumer_groups else "fixed",
            "TRELLIS_ISSUER": issuer.name,
            "TRELLIS_JWKS_URL": issuer.jwks_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        api, address = await stack.enter_async_context(started("api", environment))
        worker, _ = await stack.enter_async_context(started("worker", environment))
        token = issuer.token(HUGO, [Role.MANAGER])
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{address}/goals/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        )
        yield Processes(api, worker, client)


async def test_a_command_is_one_trace_over_both_processes(processes: Processes, collector: Collector) -> None:
    trace, unsampled = "4bf92f3577b34da6a3ce929d0e0e4736", "9" * 32
    headers = {"traceparent": f"00-{unsampled}-00f067aa0ba902b7-00"}
    assert (await processes.client.post("/goals", json=goal_of(ALICE), headers=headers)).status_code == 201
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    answer = await processes.client.post("/goals", json=goal_of(ALICE) | {"title": MARKER}, headers=headers)
    assert answer.status_code == 201, answer.text
    wanted = {"POST /goals", "append", "publish goals.events", *READERS}

    async def complete() -> bool:
        return wanted <= {span.name for span in collector.spans}

    await until(complete, seconds=60, what="every span of the command")
    (request,) = collector.named("POST /goals")
    assert (request.trace, request.parent, request.process) == (trace, "00f067aa0ba902b7", processes.api.pid)
    told: dict[str, CollectedSpan] = {name: collector.named(name)[0] for name in wanted - {"POST /goals"}}
    assert {span.trace for span in told.values()} == {trace}
    assert {span.parent for span in told.values()} == {request.identity}
    assert told.pop("append").process == processes.api.pid
    assert {span.process for span in told.values()} == {processes.worker.pid}
    assert unsampled not in {span.trace for span in collector.spans}
    assert not any(MARKER.encode() in body for body in collector.bodies)
