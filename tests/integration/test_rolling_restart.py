"""Every process of a service is restarted in turn under load, and no client that knows two of them notices."""

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from launcher.brokers.broker import Broker
from launcher.process import free_port
from launcher.processes import TOPICS
from services.feedback.app import SERVICE as FEEDBACK
from services.goals.app import SERVICE as GOALS
from services.reviews.app import SERVICE as REVIEWS
from services.rewards.app import SERVICE as REWARDS
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived, uuid7
from shared.people.projection import apply
from shared.runtime.caller import Role
from shared.runtime.service import Service
from shared.schemas.identifiers import PersonId
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import scalar
from tests.integration.people.company import record
from tests.servers.databases import Database, Postgres
from tests.servers.issuer import Issuer, issuing
from tests.servers.service import MigratedDatabases
from tests.servers.topics import create_empty

pytestmark = [pytest.mark.kafka, pytest.mark.apache]
HUGO, ALICE = (PersonId(derived("person", name)) for name in ("hugo", "alice"))
LONGEST_STOP: Final = 10.0
_CLIENTS: Final = 3
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What clients of a service do over and over: a command that is accepted, and a look."""

    service: Service
    command: str
    body: dict[str, Any]
    look: str
    shown_in: str
    """The table that has one row for each accepted command."""


_YEAR: Final = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
_GOAL: Final = {
    "level": "person",
    "owner": str(ALICE),
    "title": "Answer within a day",
    "metric": {"kind": "number", "start": "10", "target": "0", "unit": "hours"},
    **_YEAR,
}
_PRAISE: Final = {
    "receiver": str(ALICE),
    "kind": "praise",
    "visibility": "receiver-and-manager",
    "text": "You explained the outage calmly.",
}
_CYCLE: Final = {
    "name": "Annual review",
    "policy": {"version": "1", "sections": [{"name": "goals", "weight": "100"}], "levels": []},
    **_YEAR,
}
_POOL: Final = {"name": "Merit", "amount": {"amount": "10000.00", "currency": "USD"}}
SET_GOALS: Final = Work(GOALS, "/goals", _GOAL, "/goals?limit=5", "goal_tree")
WORK: Final = (
    SET_GOALS,
    Work(FEEDBACK, "/feedback", _PRAISE, "/feedback?direction=given&limit=5", "readable_feedback"),
    Work(REVIEWS, "/cycles", _CYCLE, "/cycles?limit=5", "cycles"),
    Work(REWARDS, "/pools", _POOL, "/rewards?limit=5", "budget_pools"),
)


@dataclass
class Process:
    """`python -m services.SERVICE ROLE` on a port of its own, started again and again."""

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

    def kill(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.kill()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Load:
    """Clients that send commands and look; each goes to the other process on 503 and where nobody listens."""

    work: Work
    urls: tuple[str, ...]
    token: str
    acknowledged: list[str] = field(default_factory=list[str])
    asked: int = 0
    turned_away: int = 0
    failures: list[str] = field(default_factory=list[str])
    longest: float = 0.0
    over: bool = False

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        clients = [asyncio.create_task(self._client(n)) for n in range(_CLIENTS)]
        try:
            yield
        finally:
            self.over = True
            await asyncio.gather(*clients)

    async def under_way(self) -> bool:
        return self.asked > 20

    async def _client(self, n: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(headers=headers, timeout=_PATIENCE) as client:
            here = n
            while not self.over:
                here, made = await self._asked(client, here, "POST", self.work.command, json=self.work.body)
                if made is not None:
                    self.acknowledged.append(made["id"])
                here, _ = await self._asked(client, here, "GET", self.work.look)

    async def _asked(
        self, client: httpx.AsyncClient, here: int, method: str, path: str, **body: Any
    ) -> tuple[int, Any | None]:
        """The answer's body, and the process to ask next; a failure is what neither 503 nor a refused port excuses."""
        began, headers = time.monotonic(), {"Idempotency-Key": str(uuid7())} if body else {}
        self.asked += 1
        answer: httpx.Response | None = None
        while time.monotonic() < began + _PATIENCE:
            url = f"{self.urls[here % len(self.urls)]}{self.work.service.base_path}{path}"
            try:
                answer = await client.request(method, url, headers=headers, **body)
            except httpx.ConnectError:
                answer = None
            except httpx.TransportError as error:
                self.failures.append(f"{method} {path}: {error!r}")
                return here, None
            if answer is not None and answer.status_code != 503:
                self.longest = max(self.longest, time.monotonic() - began)
                if not answer.is_success:
                    self.failures.append(f"{method} {path}: {answer.status_code} {answer.text}")
                return here, answer.json() if answer.is_success else None
            self.turned_away += 1
            here += 1
            await asyncio.sleep(0.05)
        said = answer.text if answer is not None else "nobody listens"
        self.failures.append(f"{method} {path}: turned away for {_PATIENCE} s, at last: {said}")
        return here, None

    def __str__(self) -> str:
        return (
            f"{self.asked} requests, {self.turned_away} turned away, {len(self.failures)} failed, "
            f"longest {self.longest:.2f} s"
        )


@dataclass
class Installation:
    """A service with its databases and topics, none of its processes started."""

    work: Work
    data: Database
    settings: dict[str, str]
    token: str
    folder: Path
    processes: list[Process] = field(default_factory=list[Process])

    async def process(self, role: str, **settings: str) -> Process:
        """A process that is ready."""
        log = self.folder / f"{role}-{len(self.processes)}.log"
        process = Process(self.work.service.name, role, {**self.settings, **settings}, log)
        self.processes.append(process)
        await process.started()
        return process

    async def settles(self) -> None:
        """Everything that is stored is published and applied."""
        engine = create_engine(self.data.url)
        behind = (
            "select (select max(position) from events) - position + (select count(*) from chain join checkpoints p "  # noqa: S608 - a constant
            f"using (partition) where p.topic = '{self.work.service.name}.events' and p.position < chain.position) "
            "from log"
        )

        async def settled() -> bool:
            return await scalar(engine, behind) == 0

        await until(settled, seconds=90, what="everything published and applied")
        await engine.dispose()

    async def rows_shown(self) -> int:
        engine = create_engine(self.data.url)
        shown = await scalar(engine, f"select count(*) from {self.work.shown_in}")  # noqa: S608 - a constant
        await engine.dispose()
        return shown


@pytest.fixture(scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Issuer]:
    async with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def installation(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    kafka: Broker,
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Installation]:
    work: Work = request.param
    databases = await MigratedDatabases.of(work.service, postgres)
    await create_empty(kafka.bootstrap, TOPICS)
    engine = create_engine(databases.data.url)
    async with engine.begin() as connection:
        await apply(connection, [(HUGO, record(HUGO)), (ALICE, record(ALICE, HUGO))])
    await engine.dispose()
    settings = {
        "TRELLIS_DATABASE_URL": databases.data.url,
        "TRELLIS_KEYS_DATABASE_URL": databases.keys.url,
        "TRELLIS_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "TRELLIS_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TRELLIS_ISSUER": issuer.name,
        "TRELLIS_JWKS_URL": issuer.jwks_url,
    }
    token = issuer.token(HUGO, [Role.MANAGER, Role.HR])
    made = Installation(work, databases.data, settings, token, tmp_path_factory.mktemp("processes"))
    yield made
    for process in made.processes:
        process.kill()
    await databases.drop()


@pytest.mark.parametrize("installation", WORK, ids=lambda work: work.service.name, indirect=True)
async def test_a_rolling_restart_under_load_fails_no_request(installation: Installation) -> None:
    roles = ("api", "api", "worker", "worker")
    processes = await asyncio.gather(*(installation.process(role) for role in roles))
    load = Load(installation.work, tuple(process.url for process in processes[:2]), installation.token)
    stops: list[float] = []
    async with load.going_on():
        for process in processes:
            asked = load.asked
            stops.append(await process.stopped())
            await process.started()
            assert load.asked > asked
    print(f"{load}; stopped after {', '.join(f'{seconds:.1f}' for seconds in stops)} s")
    assert load.failures == [], processes[0].log.read_text()[-3000:]
    assert max(stops) < LONGEST_STOP
    await installation.settles()
    assert await installation.rows_shown() == len(set(load.acknowledged))
    for process in processes:
        await process.stopped()


@pytest.mark.parametrize("installation", [SET_GOALS], ids=["goals"], indirect=True)
async def test_a_process_of_all_roles_under_load_ends_within_ten_seconds(installation: Installation) -> None:
    process = await installation.process("all")
    load = Load(installation.work, (process.url,), installation.token)
    async with load.going_on():
        await until(load.under_way, what="under way")
        seconds = await process.stopped()
        await process.started()
    print(f"{load}; stopped after {seconds:.1f} s")
    assert seconds < LONGEST_STOP
    assert load.failures == [], process.log.read_text()[-3000:]
    assert await process.stopped() < LONGEST_STOP


@pytest.mark.parametrize("installation", [SET_GOALS], ids=["goals"], indirect=True)
async def test_a_process_whose_broker_does_not_answer_ends_within_ten_seconds(installation: Installation) -> None:
    process = await installation.process("all", TRELLIS_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_port()}")
    assert await process.stopped() < LONGEST_STOP
