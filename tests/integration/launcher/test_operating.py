"""`trellis projections` and `trellis log` against a service's administration over HTTP."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher.processes import SERVICES
from launcher.state import State
from services.goals.app import SERVICE
from tests.conftest import Postgres
from tests.servers.issuer import issuing, serving
from tests.servers.service import MigratedDatabases, RunningService, running


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a terminal in whose state folder a service runs."""

    folder: Path
    service: RunningService

    async def says(self, *arguments: str) -> tuple[int, str]:
        """The command's exit code and all that it printed."""
        command = [sys.executable, "-m", "launcher", *arguments, "--folder", str(self.folder)]
        pipe = subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdout=pipe, stderr=subprocess.STDOUT, env={"COLUMNS": "200"}
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()


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


async def test_the_log_of_a_service_can_be_forked_and_says_what_follows(operator: Operator) -> None:
    code, said = await operator.says("log", "fork", "goals", "--reason", "restored from the backup of Sunday")
    assert code == 0, said
    assert "goals publishes from its first event again, as log " in said
    assert "trellis projections rebuild goals goal_tree" in said


async def test_the_log_and_the_projections_of_a_service_are_shown(operator: Operator) -> None:
    code, said = await operator.says("log", "status", "goals")
    assert code == 0, said
    assert "by nobody" in said
    code, said = await operator.says("projections", "list", "goals")
    assert code == 0, said
    assert "goal_tree" in said
    assert "goals.events" in said


async def test_a_projection_is_rebuilt(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "goals", "goal_tree")
    assert code == 0, said
    assert "goals: goal_tree is as far as before" in said


async def test_a_projection_that_does_not_exist_is_named_with_those_that_do(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "goals", "goal_bush")
    assert code == 1
    assert "goals has no projection goal_bush; it has goal_tree" in said


async def test_a_service_that_does_not_exist_is_named_with_those_that_do(operator: Operator) -> None:
    code, said = await operator.says("projections", "rebuild", "gaols", "goal_tree")
    assert code == 2
    assert "there is no service 'gaols'" in said


async def test_a_service_that_does_not_answer_is_said(operator: Operator) -> None:
    State(operator.folder).remember_port("goals-api", 1)
    code, said = await operator.says("projections", "list")
    assert code == 1
    assert "The service goals does not answer at http://127.0.0.1:1" in said


async def test_without_anything_started_the_remedy_is_said(tmp_path: Path, operator: Operator) -> None:
    elsewhere = Operator(tmp_path / "elsewhere", operator.service)
    code, said = await elsewhere.says("log", "status")
    assert code == 1
    assert "`trellis up`" in said
