"""A service's own processes, `python -m services.SERVICE ROLE`, with databases and topics but without the launcher."""

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from launcher.brokers.broker import Broker
from launcher.process import free_port
from launcher.processes import TOPICS
from shared.eventsourcing.database import create_engine
from shared.people.projection import apply
from shared.runtime.service import Service
from shared.schemas.people import PersonRecord
from tests.servers.databases import Database, Postgres
from tests.servers.issuer import Issuer
from tests.servers.service import MigratedDatabases
from tests.servers.topics import create_empty


@dataclass
class ServiceProcess:
    """One process on a port of its own, started again and again."""

    service: str
    role: str
    settings: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def started(self) -> None:
        """It runs and is ready."""
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"services.{self.service}", self.role),
                env={**os.environ, **self.settings, "TRELLIS_HTTP_PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        async with httpx.AsyncClient(base_url=self.url) as client, asyncio.timeout(90):
            while not await _ready(client):
                assert self.running.returncode is None, self.log.read_text()[-3000:]
                await asyncio.sleep(0.1)

    async def stopped(self) -> float:
        """SIGTERM; how long it took to end (seconds)."""
        assert self.running is not None
        began = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await self.running.wait()
        assert "process.stopped_late" not in self.log.read_text()
        return time.monotonic() - began

    async def killed(self) -> None:
        """SIGKILL, if it still runs."""
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class ServiceProcesses:
    """The processes of one service, as many as are started."""

    service: Service
    data: Database
    settings: dict[str, str]
    log: Path
    started: list[ServiceProcess] = field(default_factory=list[ServiceProcess])

    async def start(self, role: str, **settings: str) -> ServiceProcess:
        """Another process, ready."""
        log = self.log / f"{role}-{len(self.started)}.log"
        process = ServiceProcess(self.service.name, role, {**self.settings, **settings}, log)
        self.started.append(process)
        await process.started()
        return process


@asynccontextmanager
async def ready_to_start(
    service: Service, people: Sequence[PersonRecord], *, postgres: Postgres, kafka: Broker, issuer: Issuer, log: Path
) -> AsyncGenerator[ServiceProcesses]:
    """The service's databases, which know these people, and empty topics; what was started is killed afterwards."""
    databases = await MigratedDatabases.of(service, postgres)
    await create_empty(kafka.bootstrap, TOPICS)
    engine = create_engine(databases.data.url)
    async with engine.begin() as connection:
        await apply(connection, [(person.person, person) for person in people])
    await engine.dispose()
    settings = {
        "TRELLIS_DATABASE_URL": databases.data.url,
        "TRELLIS_KEYS_DATABASE_URL": databases.keys.url,
        "TRELLIS_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "TRELLIS_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TRELLIS_KAFKA_IDEMPOTENCE": str(kafka.idempotent_producer),
        "TRELLIS_KAFKA_ASSIGNMENT": "group" if kafka.consumer_groups else "fixed",
        "TRELLIS_ISSUER": issuer.name,
        "TRELLIS_JWKS_URL": issuer.jwks_url,
    }
    processes = ServiceProcesses(service, databases.data, settings, log)
    try:
        yield processes
    finally:
        for process in processes.started:
            await process.killed()
        await databases.drop()
