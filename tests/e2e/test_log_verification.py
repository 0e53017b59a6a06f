"""`trellis log verify` and `refill` on a whole installation."""

import json

import pytest

from launcher.processes import SERVICES
from tests.e2e.installation import Installation

pytestmark = pytest.mark.e2e


async def test_every_log_of_an_installation_is_verified(installation: Installation) -> None:
    said = await installation.trellis.run_well("log", "verify")
    assert said.count("no difference: what Kafka holds is what the store holds") == len(SERVICES)
    found = json.loads(await installation.trellis.run_well("log", "verify", "goals", "--json"))
    assert found["goals"]["sound"]


async def test_a_full_topic_is_not_refilled(installation: Installation) -> None:
    refused = await installation.trellis.run("log", "refill", "goals")
    assert refused.code == 1
    assert "goals.events is full" in " ".join(refused.output.split())


async def test_another_topic_needs_to_be_told_whose_log_it_copies(installation: Installation) -> None:
    assert (await installation.trellis.run("log", "verify", "--topic", "copy")).code == 2
    missing = await installation.trellis.run("log", "verify", "goals", "--topic", "nowhere.events")
    assert missing.code == 1
    assert "has no topic nowhere.events" in " ".join(missing.output.split())


async def test_the_development_clock_is_put_forward(installation: Installation) -> None:
    assert "ahead of the real time" in await installation.trellis.run_well("clock", "advance", "1s")
