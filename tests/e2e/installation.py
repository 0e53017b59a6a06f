"""A whole installation: started, looked at and stopped through the `trellis` command alone."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx

from launcher.addresses import Addresses, addresses
from launcher.demo_cycle.company import Company
from launcher.process import free_port
from launcher.processes import SERVICES, metrics_of, names
from launcher.servers import BROKER, POSTGRES
from launcher.state import State
from launcher.token import issue_token
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.e2e.trellis import Trellis


@dataclass(frozen=True)
class Installation:
    """What runs from one state folder."""

    trellis: Trellis

    @property
    def folder(self) -> Path:
        return self.trellis.folder

    @property
    def journal(self) -> Path:
        """Where every demo of this installation writes down what was acknowledged."""
        return self.folder / "journal.jsonl"

    @property
    def addresses(self) -> Addresses:
        return addresses(self.folder)

    @cached_property
    def company(self) -> Company:
        return Company.imported(self.folder)

    def client(self, service: str, person: PersonId, *roles: Role) -> httpx.AsyncClient:
        """A client below the service's base path with the person's token; employee unless roles are named."""
        token = issue_token(self.folder, person, roles or (Role.EMPLOYEE,))
        return httpx.AsyncClient(
            base_url=f"{self.addresses.services[service]}/{service}/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )


@dataclass(frozen=True)
class Demo:
    """A demo that runs, in a process of its own."""

    process: asyncio.subprocess.Process
    output: Path
    journal: Path
    journal_began_with: int

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def ended(self, *, within: float) -> bool:
        """Whether it ended in that time (seconds)."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.process.wait()
        return not self.running

    async def under_way(self) -> None:
        """Returns when its first command is acknowledged, or when it ended."""
        while self.running and _size(self.journal) == self.journal_began_with:
            await self.ended(within=0.1)

    def printed(self) -> str:
        return self.output.read_text()


@asynccontextmanager
async def demo_of(installation: Installation) -> AsyncGenerator[Demo]:
    """A demo; one that still runs when the block is left is killed."""
    output, journal = installation.folder / "demo.log", installation.journal
    command = [sys.executable, "-m", "launcher", "demo"]
    options = ["--folder", str(installation.folder), "--journal", str(journal)]
    began_with = _size(journal)
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command, *options, stdout=file, stderr=file, env={**os.environ, "COLUMNS": "160"}
        )
    try:
        yield Demo(process, output, journal, journal_began_with=began_with)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _choose_ports(state: State, workers: int) -> None:
    """Any free ones: the preferred ports are for the installations of people, and there may be other test runs."""
    state.create()
    metrics = (metrics_of(f"{service}-api") for service in SERVICES)
    for name in (*names(workers), *metrics, POSTGRES, BROKER):
        state.remember_port(name, free_port())


@asynccontextmanager
async def installed(
    folder: Path, *, kafka: str, workers: int = 1, program: tuple[str, ...] = ("launcher",)
) -> AsyncGenerator[Installation]:
    """An installation in the folder, stopped when the block is left."""
    trellis = Trellis(folder, program)
    _choose_ports(State(folder), workers)
    await trellis.up("--kafka", kafka, "--workers", str(workers))
    try:
        yield Installation(trellis)
    finally:
        await trellis.down()
