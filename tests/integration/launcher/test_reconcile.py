"""`trellis reconcile` against the rewards service: what it prints, and when it ends with 1."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launcher.state import State
from services.rewards.app import SERVICE
from tests.conftest import Postgres
from tests.integration.services.rewards.company import Company, paid, working, yes
from tests.servers.issuer import issuing, serving
from tests.servers.service import MigratedDatabases


@dataclass(frozen=True, slots=True)
class Terminal:
    folder: Path
    company: Company

    async def says(self, *arguments: str) -> tuple[int | None, str]:
        """The command's exit code and all that it printed."""
        command = [sys.executable, "-m", "launcher", "reconcile", *arguments, "--folder", str(self.folder)]
        pipe = subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdout=pipe, stderr=subprocess.STDOUT, env={"COLUMNS": "200"}
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()


@pytest.fixture
async def terminal(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Terminal]:
    databases = await MigratedDatabases.of(SERVICE, postgres)
    state = State(tmp_path)
    state.create()
    async with (
        issuing(tmp_path) as issuer,
        working(issuer, databases) as company,
        serving(company.service.app) as address,
    ):
        state.remember_port("rewards-api", int(address.rpartition(":")[2]))
        yield Terminal(tmp_path, company)
    await databases.drop()


def row(said: str, name: str) -> list[str]:
    """The cells after the name, in the one row that begins with it."""
    rows = [line.strip("│┃ ").split("│") for line in said.splitlines()]
    [found] = [cells for cells in rows if cells[0].strip() == name]
    return [cell.strip() for cell in found[1:]]


async def test_what_matches_is_shown_by_currency_and_ends_with_0(terminal: Terminal) -> None:
    code, said = await terminal.says()
    assert (code, "difference 0" in said) == (0, True), said
    await terminal.company.approved()
    code, said = await terminal.says()
    assert (code, row(said, "approved"), row(said, "pending")) == (0, ["180,000"], ["180,000"]), said
    assert row(said, "difference") == ["0"]
    code, said = await terminal.says("--json")
    found = json.loads(said)
    assert (code, found["difference"], found["currencies"][0]["pending"]) == (0, 0, 180_000)


async def test_what_does_not_match_is_listed_and_ends_with_1(terminal: Terminal) -> None:
    _, payment = await terminal.company.approved()
    await terminal.company.payroll_said(paid(payment))
    code, said = await terminal.says()
    assert (code, row(said, "paid beyond accepted"), row(said, "difference")) == (1, ["180,000"], ["180,000"]), said
    assert row(said, str(payment))[0] == "paid-but-not-accepted"
    await terminal.company.payroll_said(yes(payment))
    code, said = await terminal.says("--json")
    assert (code, json.loads(said)["mismatches"]) == (0, [])


async def test_a_service_that_does_not_run_is_said_with_what_to_do(terminal: Terminal) -> None:
    State(terminal.folder).remember_port("rewards-api", 1)
    code, said = await terminal.says()
    assert code == 1
    assert (
        "The service rewards does not run: nobody listens at http://127.0.0.1:1. Start everything: `trellis up`" in said
    )
