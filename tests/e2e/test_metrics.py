"""Metrics of a whole installation: every process tells what the catalogue declares, and nobody else hears it."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from services.rewards.app import SERVICE as REWARDS
from shared.runtime.catalogue import METRICS
from tests.e2e.installation import Installation
from tests.servers.scraped import Scraped


@pytest.fixture
async def services(installation: Installation) -> dict[str, Any]:
    """What `trellis status` says of each service."""
    return json.loads((await installation.trellis.run("status", "--json")).output)["services"]


async def scraped(address: str) -> Scraped:
    async with httpx.AsyncClient(timeout=30) as client:
        return Scraped((await client.get(address)).raise_for_status().text)


def declared(role: str) -> set[str]:
    return {metric.name for metric in METRICS.values() if metric.told_by in (role, "both")}


def told(found: Scraped) -> set[str]:
    """The names of our metrics, a histogram's parts put together."""
    parts = ("_bucket", "_sum", "_count")
    ours = {name for name in found.names if name.startswith("trellis_")}
    return {next((name.removesuffix(part) for part in parts if name.endswith(part)), name) for name in ours}


async def test_every_process_tells_what_is_declared_and_nothing_else(
    installation: Installation, services: dict[str, Any]
) -> None:
    for service, said in services.items():
        async with installation.client(service, installation.company.head.person) as client:
            await client.get("/nowhere")  # so that the api was asked something
        api, *workers = [await scraped(address) for address in said["metrics"]]
        assert told(api) == declared("api")
        own = {gauge.metric.name for gauge in REWARDS.gauges} if service == "rewards" else set[str]()
        for worker in workers:
            assert declared("worker") <= told(worker) | {"trellis_http_request_seconds"}
            assert told(worker) <= declared("worker") | own


async def test_what_callers_reach_has_no_metrics(services: dict[str, Any]) -> None:
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(client.get(f"{said['address']}/metrics") for said in services.values()))
    assert [answer.status_code for answer in answers] == [401] * len(services)
