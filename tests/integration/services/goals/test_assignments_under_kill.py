"""An API that is killed in the middle of an assignment: the same request again goes on, and doubles nothing."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from launcher.brokers.broker import Broker
from services.goals.app import SERVICE
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.identifiers import derived
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.integration.eventsourcing.running import until
from tests.integration.people.company import record
from tests.integration.services.goals.conftest import COMPANY, HANNA
from tests.integration.services.goals.test_templates_over_http import ONBOARDING
from tests.servers.databases import Postgres
from tests.servers.issuer import Issuer
from tests.servers.processes import ServiceProcess, ready_to_start

pytestmark = pytest.mark.kafka
PEOPLE: Final = 1_500
KEY: Final = {"Idempotency-Key": "onboarding-2026"}
_TYPES: Final = "select type from events"
_OWNERS: Final = "select data::jsonb->>'owner' from events where type = 'trellis.goals.GoalSet.v1'"


async def counted(engine: AsyncEngine) -> Mapping[str, int]:
    """How many events of each kind are stored."""
    async with engine.connect() as connection:
        types = (await connection.exec_driver_sql(_TYPES)).scalars()
        return Counter(str(one).split(".")[2] for one in types)


async def asked(process: ServiceProcess, token: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", **KEY}
    async with httpx.AsyncClient(base_url=f"{process.url}/goals/v1", headers=headers, timeout=300) as client:
        answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def interrupted(process: ServiceProcess, engine: AsyncEngine, request: asyncio.Task[Any], event: str) -> None:
    """Kill the process once some, and not all, of what is asked for is stored."""

    async def some() -> bool:
        return (await counted(engine)).get(event, 0) >= 3

    await until(some, seconds=120, what=f"some {event}")
    await process.killed()
    with suppress(httpx.TransportError):
        await request


async def test_a_killed_assignment_and_a_killed_undo_go_on_when_asked_again(
    postgres: Postgres, kafka: Broker, issuer: Issuer, tmp_path: Path
) -> None:
    surroundings: dict[str, Any] = {"postgres": postgres, "kafka": kafka, "issuer": issuer, "log": tmp_path}
    people = [*COMPANY, *(record(PersonId(derived("person", "many", n))) for n in range(PEOPLE))]
    async with ready_to_start(SERVICE, people, **surroundings) as processes:
        api, token = await processes.start("api"), issuer.token(HANNA, [Role.HR])
        engine = create_engine(processes.data.url)
        template = (await asked(api, token, "/templates", ONBOARDING))["id"]
        body = {"templates": [template], "starts_on": "2026-01-01", "ends_on": "2026-12-31"}

        first = asyncio.create_task(asked(api, token, "/assignments", body))
        await interrupted(api, engine, first, "GoalsAssigned")
        before = await counted(engine)
        assert 0 < before["GoalSet"] < len(people), "it was killed too late to show anything"
        assert "GoalAssignmentFinished" not in before

        await api.started()
        told = await asked(api, token, "/assignments", body)
        assert (told["state"], told["results"]) == ("assigned", {"set": len(people)})
        after = await counted(engine)
        assert (after["GoalSet"], after["GoalAssignmentBegun"], after["GoalAssignmentFinished"]) == (len(people), 1, 1)
        async with engine.connect() as connection:
            owners = Counter((await connection.exec_driver_sql(_OWNERS)).scalars())
        assert owners == dict.fromkeys((str(one.person) for one in people), 1)

        undo, reason = f"/assignments/{told['id']}/undo", {"reason": "wrong-company"}
        second = asyncio.create_task(asked(api, token, undo, reason))
        await interrupted(api, engine, second, "AssignedGoalsWithdrawn")
        assert 0 < (await counted(engine))["GoalCancelled"] < len(people)
        await api.started()
        undone = await asked(api, token, undo, reason)
        assert (undone["withdrawn"], undone["kept"]) == (len(people), 0)
        assert (await counted(engine))["GoalCancelled"] == len(people)
        await engine.dispose()
