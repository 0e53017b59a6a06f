"""Fixtures: an operator with a service to administer."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from launcher.processes import SERVICES
from launcher.state import State
from services.goals.app import SERVICE
from tests.conftest import Postgres
from tests.integration.launcher.operating import Operator
from tests.servers.issuer import issuing, serving
from tests.servers.service import MigratedDatabases, running


@pytest.fixture
async def operator(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Operator]:
    """The goals service stands for all four: they have the same administration."""
    databases = await MigratedDatabases.of(SERVICE, postgres)
    state = State(tmp_path)
    state.create()
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(issuing(tmp_path))
        service = await stack.enter_async_context(running(SERVICE, issuer, databases))
        address = await stack.enter_async_context(serving(service.app))
        for name in SERVICES:
            state.remember_port(f"{name}-api", int(address.rpartition(":")[2]))
        yield Operator(tmp_path, service)
    await databases.drop()
