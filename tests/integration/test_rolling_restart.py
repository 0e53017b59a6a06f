"""Every process of a service is restarted in turn under load, and no client that knows two of them notices."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from launcher.brokers.broker import Broker
from launcher.process import free_port
from services.feedback.app import SERVICE as FEEDBACK
from services.goals.app import SERVICE as GOALS
from services.reviews.app import SERVICE as REVIEWS
from services.rewards.app import SERVICE as REWARDS
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived, uuid7
from shared.runtime.caller import Role
from shared.runtime.service import Service
from shared.schemas.identifiers import PersonId
from tests.integration.eventsourcing.running import until
from tests.integration.eventsourcing.tally import scalar
from tests.integration.people.company import record
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer, issuing
from tests.servers.processes import ServiceProcesses, ready_to_start

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


@pytest.fixture(scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Issuer]:
    async with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@dataclass(frozen=True, slots=True)
class Workplace:
    """A service's processes, and the work that is done there."""

    work: Work
    processes: ServiceProcesses
    token: str

    async def shown(self) -> int:
        """Rows of the read model, once everything that is stored is published and applied."""
        engine, name = create_engine(self.processes.data.url), self.work.service.name
        behind = (
            "select (select max(position) from events) - position + (select count(*) from chain join checkpoints p "  # noqa: S608 - a constant
            f"using (partition) where p.topic = '{name}.events' and p.position < chain.position) from log"
        )

        async def settled() -> bool:
            return await scalar(engine, behind) == 0

        await until(settled, seconds=90, what="everything published and applied")
        rows = await scalar(engine, f"select count(*) from {self.work.shown_in}")  # noqa: S608 - a constant
        await engine.dispose()
        return rows


@pytest.fixture(scope="module")
async def workplace(
    request: pytest.FixtureRequest,
    postgres: Postgres,
    kafka: Broker,
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Workplace]:
    work: Work = request.param
    people = [record(HUGO), record(ALICE, HUGO)]
    folder = tmp_path_factory.mktemp("processes")
    async with ready_to_start(work.service, people, postgres=postgres, kafka=kafka, issuer=issuer, log=folder) as made:
        yield Workplace(work, made, issuer.token(HUGO, [Role.MANAGER, Role.HR]))


@pytest.mark.parametrize("workplace", WORK, ids=lambda work: work.service.name, indirect=True)
async def test_a_rolling_restart_under_load_fails_no_request(workplace: Workplace) -> None:
    roles = ("api", "api", "worker", "worker")
    processes = await asyncio.gather(*(workplace.processes.start(role) for role in roles))
    load = Load(workplace.work, tuple(process.url for process in processes[:2]), workplace.token)
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
    assert await workplace.shown() == len(set(load.acknowledged))
    for process in processes:
        await process.stopped()


@pytest.mark.parametrize("workplace", [SET_GOALS], ids=["goals"], indirect=True)
async def test_a_process_of_all_roles_under_load_ends_within_ten_seconds(workplace: Workplace) -> None:
    process = await workplace.processes.start("all")
    load = Load(workplace.work, (process.url,), workplace.token)
    async with load.going_on():
        await until(load.under_way, what="under way")
        seconds = await process.stopped()
        await process.started()
    print(f"{load}; stopped after {seconds:.1f} s")
    assert seconds < LONGEST_STOP
    assert load.failures == [], process.log.read_text()[-3000:]
    assert await process.stopped() < LONGEST_STOP


@pytest.mark.parametrize("workplace", [SET_GOALS], ids=["goals"], indirect=True)
async def test_a_process_whose_broker_does_not_answer_ends_within_ten_seconds(workplace: Workplace) -> None:
    process = await workplace.processes.start("all", TRELLIS_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_port()}")
    assert await process.stopped() < LONGEST_STOP


@pytest.mark.parametrize("workplace", [SET_GOALS], ids=["goals"], indirect=True)
async def test_a_process_that_is_told_to_stop_is_not_ready_and_serves_until_that_was_noticed(
    workplace: Workplace,
) -> None:
    process = await workplace.processes.start("api", TRELLIS_DRAIN_SECONDS="3")
    load = Load(workplace.work, (process.url,), workplace.token)
    async with load.going_on(), httpx.AsyncClient(base_url=process.url) as probe:
        await until(load.under_way, what="under way")
        stopping = asyncio.create_task(process.stopped())
        await until(lambda: _refuses(probe), what="not ready")
        asked = load.asked
        await asyncio.sleep(2)  # of the three
        served, turned_away, refused = load.asked - asked, load.turned_away, await _refuses(probe)
        load.over = True
        seconds = await stopping
    print(f"{load}; {served} served while not ready; stopped after {seconds:.1f} s")
    assert (refused, turned_away, load.failures) == (True, 0, [])
    assert served > 20
    assert 3 <= seconds < 3 + LONGEST_STOP


async def _refuses(probe: httpx.AsyncClient) -> bool:
    return (await probe.get("/health/ready")).status_code == 503
