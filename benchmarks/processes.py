"""Processes under measurement: a service in one of its roles, an issuer, a load generator, and what each used."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from benchmarks.servers import Servers
from launcher.failure import LaunchFailed, last_lines
from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.process import free_port
from launcher.token import issue_token
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId

_START_SECONDS: Final = 600.0
"""A worker is ready when it has read what was there."""
_STOP_SECONDS: Final = 15.0
_A_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Running:
    """A process that answers on a port of 127.0.0.1."""

    port: int
    process: psutil.Process

    @property
    def memory(self) -> float:
        """MiB that are its own and in memory."""
        return self.process.memory_info().rss / 2**20


@dataclass(frozen=True, slots=True)
class Issuer:
    """A development issuer with keys of its own."""

    folder: Path
    jwks_url: str

    def token(self, person: PersonId, *roles: Role) -> str:
        return issue_token(self.folder, person, roles or (Role.EMPLOYEE,), _A_DAY)


@asynccontextmanager
async def issuing(folder: Path) -> AsyncGenerator[Issuer]:
    port = free_port()
    module = ("launcher.issuer", "--folder", str(folder), "--port", str(port))
    async with running(module, port, log=folder / "issuer.log", ready="/health/live"):
        yield Issuer(folder, f"http://127.0.0.1:{port}/jwks.json")


def settings_of(servers: Servers, databases: tuple[str, str], issuer: Issuer, *, kafka: bool) -> dict[str, str]:
    """The environment of a service's processes; an api alone needs no broker that answers."""
    data, keys = databases
    return {
        "TRELLIS_DATABASE_URL": servers.postgres.url(data),
        "TRELLIS_KEYS_DATABASE_URL": servers.postgres.url(keys),
        "TRELLIS_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
        "TRELLIS_KAFKA_BOOTSTRAP": servers.broker.bootstrap if kafka else "127.0.0.1:1",
        "TRELLIS_ISSUER": ISSUER,
        "TRELLIS_AUDIENCE": AUDIENCE,
        "TRELLIS_JWKS_URL": issuer.jwks_url,
    }


@asynccontextmanager
async def role(service: str, role: str, settings: Mapping[str, str], folder: Path) -> AsyncGenerator[Running]:
    """One process of a service, ready."""
    port = free_port()
    environment = {**settings, "TRELLIS_HTTP_PORT": str(port)}
    log = folder / f"{service}-{role}.log"
    async with running((f"services.{service}", role), port, log=log, environment=environment) as process:
        yield process


@asynccontextmanager
async def running(
    module: Sequence[str],
    port: int,
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    ready: str = "/health/ready",
) -> AsyncGenerator[Running]:
    """`python -m <module>` from when it answers 200 at `ready`; told to stop after the block."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    try:
        await _until_ready(process, f"http://127.0.0.1:{port}{ready}", log)
        yield Running(port, psutil.Process(process.pid))
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(_START_SECONDS):
        while process.returncode is None:
            with suppress(httpx.HTTPError):  # it does not listen yet
                if (await client.get(url)).status_code == HTTPStatus.OK:
                    return
            await asyncio.sleep(0.05)
    raise LaunchFailed(f"It ended at once. The end of {log}:\n{last_lines(log)}")


async def ran(module: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """What `python -m <module>`, given the task as JSON, says in JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    said, _ = await process.communicate(json.dumps(task).encode())
    if process.returncode != 0:
        raise LaunchFailed(f"{module} failed")
    return json.loads(said)


def cpu_seconds(*processes: psutil.Process) -> float:
    """Processor time that they and their children have used so far."""
    every = [one for process in processes for one in (process, *process.children(recursive=True))]
    return sum(used.user + used.system for used in (one.cpu_times() for one in every))
