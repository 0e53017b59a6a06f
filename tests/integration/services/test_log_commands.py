"""`python -m services.<service> verify | refill`, as a platform team runs it, with the service's settings alone."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator, Mapping

import pytest

from launcher.brokers.broker import Broker
from services.goals.app import SERVICE
from tests.conftest import NewTopic
from tests.servers.databases import Postgres
from tests.servers.service import MigratedDatabases

pytestmark = pytest.mark.kafka


@pytest.fixture
async def settings(postgres: Postgres, kafka: Broker) -> AsyncIterator[Mapping[str, str]]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    yield {
        "TRELLIS_DATABASE_URL": databases.data.url,
        "TRELLIS_KEYS_DATABASE_URL": databases.keys.url,
        "TRELLIS_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
        "TRELLIS_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "TRELLIS_ISSUER": "http://127.0.0.1:1",
        "TRELLIS_JWKS_URL": "http://127.0.0.1:1/jwks.json",
    }
    await databases.drop()


async def goals(settings: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, what was printed, what was complained of."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "services.goals", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=dict(settings))
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def test_a_service_verifies_its_own_log_and_refuses_to_refill_a_full_topic(
    settings: Mapping[str, str], new_topic: NewTopic
) -> None:
    topic = await new_topic()
    code, printed, complained = await goals(settings, "verify", "--json", "--topic", topic)
    assert (code, complained) == (0, "")
    found = json.loads(printed)
    assert (found["sound"], found["topic"], found["events"], len(found["partitions"])) == (True, topic, 0, 12)
    code, printed, complained = await goals(settings, "refill", "--topic", topic)
    assert (code, printed) == (1, "")
    assert "is full: all 0 events" in complained


async def test_without_kafka_one_line_says_so(settings: Mapping[str, str]) -> None:
    code, printed, complained = await goals({**settings, "TRELLIS_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "verify")
    assert (code, printed, len(complained.splitlines())) == (1, "", 1)
    assert complained.startswith("goals: Kafka does not answer at 127.0.0.1:1")


@pytest.mark.parametrize("arguments", [["--topic"], ["--jsn"], ["goals.events"]])
async def test_arguments_that_nobody_understands_are_refused(settings: Mapping[str, str], arguments: list[str]) -> None:
    code, _, complained = await goals(settings, "verify", *arguments)
    assert code == 2
    assert "verify [--json] [--topic TOPIC]" in complained
