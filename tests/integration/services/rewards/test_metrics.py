"""What the rewards service tells Prometheus of commands, its log, its readers and its budgets."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from launcher.process import free_port
from services.rewards.app import SERVICE
from shared.runtime.metrics import Metrics
from shared.runtime.process import create_service_api
from shared.runtime.service import Runtime
from shared.runtime.worker import Worker
from tests.integration.services.rewards.company import ANN, BUDGET, Company, accepted, refused
from tests.servers.scraped import Scraped

POOLS = "/pools"


@pytest.fixture
def metrics(company: Company) -> Metrics:
    """A worker's that was never started: nothing is published, no consumer reads."""
    runtime = company.service.runtime
    return Metrics(runtime, Worker(runtime, exit_process=lambda: None))


async def scraped(metrics: Metrics) -> Scraped:
    return Scraped((await metrics.exposition()).written("text/plain")[0].decode())


async def test_commands_are_counted_by_how_they_ended_and_requests_by_route(company: Company, metrics: Metrics) -> None:
    key = {"Idempotency-Key": "once"}
    for _ in range(2):
        await accepted(company.hanna.post("/pools", json=BUDGET, headers=key))
    nothing = BUDGET | {"amount": {"amount": "0.00", "currency": "USD"}}
    await refused(company.hanna.post("/pools", json=nothing), 409, "rule:amount-must-be-positive")
    await company.hanna.get("/nowhere/of/mine")
    told = await scraped(metrics)
    outcomes = {o: told.value("trellis_commands_total", outcome=o) for o in ("accepted", "replayed", "rejected")}
    assert outcomes == {"accepted": 1, "replayed": 1, "rejected": 1}
    count = "trellis_http_request_seconds_count"
    assert told.value(count, method="POST", route=POOLS, status="201") == 2
    assert told.value(count, method="POST", route=POOLS, status="409") == 1
    assert told.value(count, method="GET", route="unmatched", status="404") == 1
    assert told.value("trellis_append_seconds_count") == 2  # the second found its key taken, and appended nothing
    assert told.value("trellis_append_events_sum") == 1


async def test_probes_are_no_requests_whatever_they_are_answered(company: Company, metrics: Metrics) -> None:
    async def probed() -> list[int]:
        return [(await company.hanna.get(f"http://test/health/{probe}")).status_code for probe in ("live", "ready")]

    assert await probed() == [200, 200]
    async with company.service.runtime.engine.connect() as connection, not_migrated(connection):
        assert await probed() == [200, 503]
    assert company.service.runtime.request_times == {}
    await company.hanna.get("http://test/health")
    told = await scraped(metrics)
    assert told.value("trellis_http_request_seconds_count", method="GET", route="unmatched", status="404") == 1


async def test_what_is_stored_and_not_published_is_the_relays_lag(company: Company, metrics: Metrics) -> None:
    await company.opened()
    told = await scraped(metrics)
    events = len(await company.events())
    assert told.value("trellis_relay_lag_events") == events > 0
    assert 0 < told.value("trellis_relay_lag_seconds") < 60
    assert told.value("trellis_log_stored_position") >= events
    assert (told.value("trellis_log_forked"), told.value("trellis_relay_leads")) == (0, 0)


async def test_a_fork_and_a_stopped_partition_are_told(company: Company, metrics: Metrics) -> None:
    async with company.service.runtime.engine.begin() as connection:
        await connection.execute(text("update log set state = 'forked'"))
        stop = "update checkpoints set stopped = 'hole' where reader = 'duties' and partition < 2"
        await connection.execute(text(stop))
    told = await scraped(metrics)
    assert told.value("trellis_log_forked") == 1
    assert told.value("trellis_reader_stopped_partitions", reader="duties") == 2
    assert told.value("trellis_reader_stopped_partitions", reader="budget_left") == 0


async def test_reviews_that_wait_for_a_salary_are_told_apart_from_failures(company: Company, metrics: Metrics) -> None:
    await company.opened()
    await company.reviewed(ANN)  # nothing is known of her pay yet
    told = await scraped(metrics)
    reader = "propose_reward_when_review_completed"
    assert told.value("trellis_dead_letters", reader=reader, kind="waiting") == 1
    assert told.value("trellis_dead_letters", reader=reader, kind="failed") == 0


async def test_the_used_share_of_a_budget_is_told_by_the_pools_id_alone(company: Company, metrics: Metrics) -> None:
    await company.approved()  # 1,800 of 10,000
    told = await scraped(metrics)
    assert told.value("trellis_budget_used_ratio", pool=company.pool) == pytest.approx(0.18)


async def test_one_look_at_the_database_serves_who_asks_soon_after(company: Company, metrics: Metrics) -> None:
    assert (await scraped(metrics)).value("trellis_relay_lag_events") == 0
    await company.opened()
    assert (await scraped(metrics)).value("trellis_relay_lag_events") == 0


async def test_a_database_that_does_not_answer_is_told_and_the_rest_too(company: Company, metrics: Metrics) -> None:
    async with company.service.runtime.engine.begin() as connection:
        await connection.execute(text("alter table log rename to hidden"))
    told = await scraped(metrics)
    assert told.value("trellis_database_answers") == 0
    assert told.value("trellis_commands_total", outcome="accepted") == 0
    assert {"trellis_relay_lag_events", "trellis_api_ready"}.isdisjoint(told.names)  # the latter is an api's to tell


@asynccontextmanager
async def as_it_is(_connection: AsyncConnection) -> AsyncGenerator[None]:
    yield


@asynccontextmanager
async def not_migrated(connection: AsyncConnection) -> AsyncGenerator[None]:
    await connection.execute(text("alter table log rename to hidden"))
    await connection.commit()
    yield


@asynccontextmanager
async def hanging(connection: AsyncConnection) -> AsyncGenerator[None]:
    await connection.execute(text("lock table log in access exclusive mode"))
    yield


@pytest.mark.parametrize(("database", "ready"), [(as_it_is, 1), (not_migrated, 0), (hanging, 0)])
async def test_an_api_that_was_asked_nothing_tells_whether_it_is_ready(
    company: Company, database: Callable[[AsyncConnection], AbstractAsyncContextManager[None]], ready: int
) -> None:
    port, of_the_company = free_port(), company.service.runtime
    app = create_service_api(Runtime(SERVICE, of_the_company.settings.model_copy(update={"metrics_port": port})))
    async with (
        of_the_company.engine.connect() as connection,
        database(connection),
        app.router.lifespan_context(app),
        httpx.AsyncClient() as client,
    ):
        told = Scraped((await client.get(f"http://127.0.0.1:{port}/metrics")).text)
    assert told.value("trellis_api_ready") == ready
    assert "trellis_http_request_seconds_count" not in told.names
