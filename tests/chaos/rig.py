"""An installation under faults: who leads, whose session waits for what, and how everything is brought back."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from random import Random
from signal import SIGCONT, SIGSTOP, Signals
from typing import Any, Final

import asyncpg
import psutil

from launcher import postgres, processes
from launcher.addresses import broker_of
from launcher.postgres import PostgresServer
from launcher.process import Interpreters, RunningProcess
from launcher.processes import SERVICES, Surroundings
from launcher.servers import BROKER, POSTGRES
from launcher.state import State
from launcher.supervisor import Process, Supervisor
from shared.runtime.service import Service
from tests.chaos import witness
from tests.chaos.launch import witnessed
from tests.chaos.service import ALL_GUARDS
from tests.e2e.installation import Installation

_LEADER: Final = "select owner from log where expires_at > clock_timestamp()"
_WAITING: Final = """select a.pid, a.client_port from pg_locks l join pg_stat_activity a using (pid)
                      where not l.granted and a.datname = current_database()"""
_LOOK_SECONDS: Final = 0.02
_UPS: Final = 6


class NotArranged(Exception):  # noqa: N818 - the fact
    """The moment that a fault needs did not come; it was not injected, and is tried again later."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of PostgreSQL, and the port of its client."""

    pid: int
    client_port: int


@dataclass
class Rig:
    """What the faults are made with."""

    installation: Installation
    random: Random
    guard: str = ALL_GUARDS
    services: Sequence[str] = SERVICES
    """Those that the faults are aimed at."""
    at_the_witness: bool = False
    """Whether the faults are aimed at the witness alone, where nothing is forgiven."""

    @property
    def state(self) -> State:
        return State(self.installation.folder)

    @property
    def server(self) -> PostgresServer:
        running = postgres.running(self.installation.folder / "postgres")
        if running is None:
            raise NotArranged("PostgreSQL does not run")
        return running

    @property
    def broker_port(self) -> int:
        broker = broker_of(self.state)
        if broker is None:
            raise NotArranged("no broker runs")
        return int(broker.bootstrap.rpartition(":")[2])

    def a_service(self) -> str:
        return self.random.choice(self.services)

    def process(self, name: str) -> RunningProcess:
        found = self.state.find(name)
        if found is None or not found.process.alive():
            raise NotArranged(f"{name} does not run")
        return found.process

    def workers(self, service: str) -> dict[str, RunningProcess]:
        """Those that live, by name."""
        found = (self.state.find(name) for name in processes.workers_of(self.state, service))
        return {one.name: one.process for one in found if one is not None and one.process.alive()}

    async def query(self, service: str, statement: str, *parameters: Any) -> list[Any]:
        connection = await asyncpg.connect(self.server.dsn(service))
        try:
            return await connection.fetch(statement, *parameters)
        finally:
            await connection.close()

    async def leader(self, service: str, *, within: float = 8) -> RunningProcess:
        """The worker whose relay leads, as soon as one does; its name in the log's row says which process that is."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            for row in await self.query(service, _LEADER):
                pid = int(row["owner"].split("/")[1])
                for process in self.workers(service).values():
                    if process.pid == pid:
                        return process
            await asyncio.sleep(_LOOK_SECONDS)
        raise NotArranged(f"nobody leads the relay of {service}")

    @asynccontextmanager
    async def held(self, service: str, statement: str) -> AsyncGenerator[Any]:
        """A session of ours that holds a lock while the block runs; it cannot outlive it."""
        connection = await asyncpg.connect(self.server.dsn(service), server_settings={"lock_timeout": "2s"})
        try:
            await connection.execute("begin")
            await connection.execute(statement)
            yield connection
        except asyncpg.LockNotAvailableError as error:
            raise NotArranged(str(error)) from error
        finally:
            with suppress(Exception):
                await connection.execute("rollback")
            connection.terminate()

    async def waiting(self, connection: Any, *, sessions: int = 1, within: float = 4) -> Session:
        """A session that waits for a lock, as soon as there are so many."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            rows = await connection.fetch(_WAITING)
            found = {Session(row["pid"], row["client_port"]) for row in rows if row["client_port"]}
            if len(found) >= sessions:
                return self.random.choice(sorted(found, key=lambda session: session.pid))
            await asyncio.sleep(_LOOK_SECONDS)
        raise NotArranged("no session came to wait")

    async def waiting_worker(
        self, service: str, connection: Any, *, within: float = 8
    ) -> tuple[Session, RunningProcess]:
        """A worker that waits for a lock, as soon as one does, and its session."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            session = await self.waiting(connection, within=end - time.monotonic())
            for process in self.workers(service).values():
                if session.client_port in _local_ports(process.pid):
                    return session, process
            await asyncio.sleep(_LOOK_SECONDS)
        raise NotArranged("no worker came to wait")

    def table_of(self, service: str) -> str:
        """A table that is filled by one of the service's projections of its own topic, or by the witness."""
        if self.at_the_witness or self.random.random() < 0.5:
            return witness.NAME
        described: Service = import_module(f"services.{service}.app").SERVICE
        mine = [projection for projection in described.projections if described.topic in projection.topics]
        return self.random.choice(mine).tables[0].name

    @asynccontextmanager
    async def stopped(self, process: RunningProcess) -> AsyncGenerator[None]:
        """SIGSTOP while the block runs, then SIGCONT."""
        send(process.pid, SIGSTOP)
        try:
            yield
        finally:
            send(process.pid, SIGCONT)

    def further_worker(self, service: str, number: int) -> RunningProcess:
        """One more worker than the installation has; who starts it ends it."""
        name = f"{service}-worker-{number}"
        process = witnessed(processes.worker(name, service, self._around()), self.guard)
        log = self.state.logs / f"{name}.log"
        return Interpreters().start(process.module, log=log, environment=process.settings, folder=self.state.folder)

    async def reaches_kafka(self, worker: RunningProcess, *, within: float = 60) -> None:
        """Returns when it has loaded its code and asks the broker for the first time."""
        end = time.monotonic() + within
        while not connections_between(worker.pid, self.broker_port):
            if time.monotonic() > end or not worker.alive():
                raise NotArranged("a further worker did not start")
            await asyncio.sleep(_LOOK_SECONDS)

    def dead(self) -> list[str]:
        """What was started and does not live."""
        return [recorded.name for recorded in self.state.recorded() if not recorded.process.alive()]

    async def bring_back(self) -> None:
        """What a cluster does: start what is gone. Servers come back by `trellis up`, which tries until they stay."""
        if {POSTGRES, BROKER} & {*self.dead()}:
            await self._up()
        elif self.dead():
            Supervisor(self.state, self._note).converge(self._wanted())

    def _wanted(self) -> list[Process]:
        around = self._around()
        services = [*processes.apis(around), *processes.workers(around)]
        return [*(witnessed(process, self.guard) for process in services), processes.payroll(around)]

    def _around(self) -> Surroundings:
        broker = broker_of(self.state)
        if broker is None:
            raise NotArranged("no broker runs")
        return Surroundings(self.state, self.server, broker, self.state.master_key(), self.state.workers)

    def _note(self, said: str) -> None:
        with (self.state.logs / "ups.log").open("a") as log:
            log.write(f"{said}\n")

    async def _up(self) -> None:
        for attempt in range(_UPS):
            began = time.monotonic()
            finished = await self.installation.trellis.run("up", within=300)
            self._note(f"{finished.output}ended with {finished.code} after {time.monotonic() - began:.1f} s")
            if finished.code == 0:
                return
            if attempt == _UPS - 1:
                raise AssertionError(f"`trellis up` does not bring it back: {finished.output}")

    def kill_server(self, name: str, *, sessions: bool = False) -> None:
        """SIGKILL to PostgreSQL or the broker, with all sessions if asked; nothing of it is left then."""
        process = self.process(name)
        children = psutil.Process(process.pid).children(recursive=True) if sessions else []
        process.kill()
        for child in children:
            with suppress(psutil.Error):
                child.kill()


def send(pid: int, signal: Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal)


async def kill(process: RunningProcess) -> None:
    """SIGKILL; it is dead on return."""
    await asyncio.to_thread(process.kill)


def connections_between(pid: int, port: int) -> Sequence[int]:
    """The local ports of a process's connections to this port of 127.0.0.1."""
    with suppress(psutil.Error):
        found = psutil.Process(pid).net_connections("tcp")
        return [c.laddr.port for c in found if c.raddr and c.raddr.port == port]
    return []


def _local_ports(pid: int) -> set[int]:
    with suppress(psutil.Error):
        return {c.laddr.port for c in psutil.Process(pid).net_connections("tcp")}
    return set()


__all__ = ["BROKER", "POSTGRES", "NotArranged", "Rig", "Session", "connections_between", "kill", "send"]
