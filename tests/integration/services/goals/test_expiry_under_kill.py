"""A thousand goals expire under two whole workers, one of which is killed: each expires once."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from launcher.brokers.broker import Broker
from services.goals.app import SERVICE
from shared.eventsourcing.database import create_engine
from shared.runtime.caller import Role
from tests.integration.eventsourcing.running import until
from tests.integration.services.goals.conftest import ALICE, COMPANY, HUGO, goal_of
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.processes import ServiceProcess, ready_to_start

pytestmark = [pytest.mark.kafka, pytest.mark.apache]
GOALS: Final = 1_000
_AT_ONCE: Final = 20
_EXPIRED: Final = "select stream from events where type = 'trellis.goals.GoalExpired.v1'"


async def _set_goals(api: ServiceProcess, token: str) -> None:
    goal: dict[str, Any] = goal_of(ALICE) | {"starts_on": "2026-01-01", "ends_on": "2026-01-31"}
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{api.url}/goals/v1", headers=headers, timeout=60) as client:

        async def some() -> None:
            for _ in range(GOALS // _AT_ONCE):
                answer = await client.post("/goals", json=goal)
                assert answer.status_code == 201, answer.text

        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def test_a_thousand_goals_expire_once_each_although_a_worker_is_killed(
    postgres: Postgres, kafka: Broker, issuer: Issuer, tmp_path: Path
) -> None:
    surroundings: dict[str, Any] = {"postgres": postgres, "kafka": kafka, "issuer": issuer, "log": tmp_path}
    async with ready_to_start(SERVICE, COMPANY, **surroundings) as processes:
        await _set_goals(await processes.start("api"), issuer.token(HUGO, [Role.MANAGER]))
        engine = create_engine(processes.data.url)

        async def expired() -> list[str]:
            async with engine.connect() as connection:
                return list((await connection.exec_driver_sql(_EXPIRED)).scalars())

        async def some() -> bool:
            return len(await expired()) >= GOALS // 4

        async def every_one() -> bool:
            return len(set(await expired())) == GOALS

        one, other = await asyncio.gather(processes.start("worker"), processes.start("worker"))
        await until(some, seconds=120, what="a quarter of the goals expired")
        assert len(await expired()) < GOALS
        await one.killed()
        await until(every_one, seconds=120, what="every goal expired")
        await other.stopped()
        assert set(Counter(await expired()).values()) == {1}
        await engine.dispose()
