"""The faults, each arranged at the moment where it hurts most; what a fault broke is brought back by the caller."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Final

from launcher.process import RunningProcess
from shared.eventsourcing.lease import LEASE_SECONDS
from tests.chaos.disk import fill
from tests.chaos.rig import BROKER, POSTGRES, NotArranged, Rig, connections_between, kill, send

Inject = Callable[[Rig], Awaitable[str]]
"""Injects once and says what was hit; what it holds it has let go when it returns."""

_LOG_ROW: Final = "select 1 from log for update"
_BARRIER: Final = 7310589452
_BARRIER_SECONDS: Final = 3.0
_HELD_UP_SECONDS: Final = 7.0
"""Less than the database lets a transaction be."""
_HELD_BARRIER: Final = f"select pg_advisory_xact_lock_shared({_BARRIER})"
_IN_HORIZON: Final = """select a.pid, a.client_port from pg_locks l join pg_stat_activity a using (pid)
                         where l.locktype = 'advisory' and l.mode = 'ExclusiveLock' and not l.granted
                           and a.datname = current_database()"""
_APPEND_SECONDS: Final = 30.0
_APPENDING: Final = """select a.pid from pg_locks l join pg_stat_activity a using (pid)
                        where l.locktype = 'advisory' and l.mode = 'ShareLock' and l.granted
                          and a.datname = current_database() and a.backend_type = 'client backend'"""


async def kill_api(rig: Rig) -> str:
    """In the middle of requests."""
    name = f"{rig.a_service()}-api"
    await kill(rig.process(name))
    return name


async def kill_relay(rig: Rig) -> str:
    """When its records are in Kafka and its checkpoint has not moved: the next leader sends them again."""
    service = rig.a_service()
    leader = await rig.leader(service)
    async with rig.held(service, _LOG_ROW) as connection:
        session = await rig.waiting(connection)
        await kill(leader)
        await connection.execute("select pg_terminate_backend($1)", session.pid)
    return f"the leader of {service}"


async def kill_projector(rig: Rig) -> str:
    """While a slice of it is half applied: the session waits for a table that we hold."""
    service = rig.a_service()
    table = rig.table_of(service)
    async with rig.held(service, f'lock table "{table}" in share row exclusive mode') as connection:
        _, worker = await rig.waiting_worker(service, connection)
        await kill(worker)
    return f"a worker of {service} in {table}"


async def cut_projector(rig: Rig) -> str:
    """The database takes a slice's session away: the slice fails, and its records must be read again."""
    service = rig.a_service()
    table = rig.table_of(service)
    async with rig.held(service, f'lock table "{table}" in share row exclusive mode') as connection:
        session, _ = await rig.waiting_worker(service, connection)
        await connection.execute("select pg_terminate_backend($1)", session.pid)
    return f"a session of {service} in {table}"


async def kill_postgres(rig: Rig) -> str:
    sessions = rig.random.random() < 0.5
    rig.kill_server(POSTGRES, sessions=sessions)
    return "with its sessions" if sessions else "the server alone"


async def kill_kafka(rig: Rig) -> str:
    rig.kill_server(BROKER)
    return "the broker"


async def empty_kafka(rig: Rig) -> str:
    """The broker comes back without a single record, as on a new disk."""
    rig.kill_server(BROKER)
    shutil.rmtree(rig.installation.folder / "kafka", ignore_errors=True)
    return "every topic"


async def stop_relay(rig: Rig) -> str:
    """A zombie: for longer than its lease it does nothing, then it goes on as if no time had passed."""
    service = rig.a_service()
    async with rig.stopped(await rig.leader(service)):
        await asyncio.sleep(LEASE_SECONDS + rig.random.uniform(0.5, 2))
    return f"the leader of {service}"


async def stop_relay_in_barrier(rig: Rig) -> str:
    """Its session is just waiting for the barrier alone: nobody may wait for a process that does not run."""
    service = rig.a_service()
    leader = await rig.leader(service)
    async with rig.held(service, _HELD_BARRIER) as connection:
        end = time.monotonic() + _BARRIER_SECONDS
        while not await connection.fetch(_IN_HORIZON):
            if time.monotonic() > end:
                raise NotArranged("the relay did not come to the barrier")
            await asyncio.sleep(0.001)
        send(leader.pid, SIGSTOP)
    try:
        await asyncio.sleep(LEASE_SECONDS + rig.random.uniform(0.5, 1.5))
    finally:
        send(leader.pid, SIGCONT)
    return f"the leader of {service}"


async def stop_append(rig: Rig) -> str:
    """A session that has drawn its positions is slow to commit; positions above it become visible first."""
    service, stopped, end = rig.a_service(), 0, time.monotonic() + _APPEND_SECONDS
    async with rig.held(service, "select 1") as connection:
        while time.monotonic() < end and stopped < 5:
            rows = await connection.fetch(_APPENDING)
            if rows:
                send(rows[0]["pid"], SIGSTOP)
                await asyncio.sleep(rig.random.uniform(0.2, 0.6))
                send(rows[0]["pid"], SIGCONT)
                stopped += 1
            await asyncio.sleep(0.001)
    if stopped == 0:
        raise NotArranged("nobody was caught appending")
    return f"{stopped} sessions of {service}"


async def storm(rig: Rig) -> str:
    """Workers join, just when the slices of the others are held up in the middle, and leave."""
    service = rig.a_service()
    table, members = rig.table_of(service), len(rig.workers(service))
    async with AsyncExitStack() as stack:
        joined: list[RunningProcess] = []
        for number in (8, 9):
            worker = rig.further_worker(service, number)
            stack.callback(worker.kill)
            joined.append(worker)
            await rig.reaches_kafka(worker)
            async with rig.held(service, f'lock table "{table}" in share row exclusive mode') as connection:
                with suppress(NotArranged):  # the old owners, and who took over from them
                    await rig.waiting(connection, sessions=members + len(joined), within=_HELD_UP_SECONDS)
        for worker in joined:
            await asyncio.to_thread(worker.stop, within=10)
    return f"2 workers of {service}"


async def cut_connections(rig: Rig) -> str:
    """The leader's connections to the broker are reset, again and again, with requests on their way."""
    service, cut = rig.a_service(), 0
    leader = await rig.leader(service)
    for _ in range(8):
        for port in connections_between(leader.pid, rig.broker_port):
            cut += await _reset(port, rig.broker_port)
        await asyncio.sleep(rig.random.uniform(0.05, 0.3))
    if cut == 0:
        raise NotArranged("no connection could be cut")
    return f"{cut} of the leader of {service}"


async def _reset(local: int, remote: int) -> int:
    command = ["ss", "--kill", "--no-header", "--tcp", "state", "established"]
    ends = ["src", f"127.0.0.1:{local}", "dst", f"127.0.0.1:{remote}"]
    process = await asyncio.create_subprocess_exec(
        *command, *ends, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    return len(output.splitlines())


async def fill_disk(rig: Rig) -> str:
    """PostgreSQL can write nothing for a few seconds."""
    async with fill(rig.installation.folder / "postgres") as megabytes:
        await asyncio.sleep(rig.random.uniform(3, 6))
    return f"the last {megabytes} MB"


def may_cut_connections() -> bool:
    """Whether this kernel and this user can reset somebody else's connection."""
    if shutil.which("ss") is None:
        return False
    nothing = ["ss", "--kill", "--no-header", "--tcp", "dst", "127.0.0.1:1"]
    said = subprocess.run(nothing, capture_output=True, text=True, check=False)
    return said.returncode == 0 and not said.stderr.strip()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `needs` says what it takes beside a machine: it is left out where that is not there."""

    inject: Inject
    needs: str = ""


FAULTS: Final[Mapping[str, Kind]] = {
    "SIGKILL of an api": Kind(kill_api),
    "SIGKILL of the relay's worker": Kind(kill_relay),
    "SIGKILL of a projector in mid-batch": Kind(kill_projector),
    "SIGKILL of PostgreSQL": Kind(kill_postgres),
    "SIGKILL of Kafka": Kind(kill_kafka, needs="topics that survive"),
    "SIGSTOP of the relay beyond its lease": Kind(stop_relay),
    "SIGSTOP of the relay inside the barrier": Kind(stop_relay_in_barrier),
    "SIGSTOP of a session inside an append": Kind(stop_append),
    "session of a projector cut in mid-batch": Kind(cut_projector),
    "rebalance storm": Kind(storm, needs="consumer groups"),
    "Kafka emptied": Kind(empty_kafka),
    "connections of the relay to Kafka cut": Kind(cut_connections, needs="ss --kill"),
    "full disk under PostgreSQL": Kind(fill_disk, needs="a file system of its own"),
}


def possible(*, groups: bool, durable: bool, disk: Path | None) -> dict[str, Kind]:
    """Those that this installation can be given."""
    there = {
        "": True,
        "topics that survive": durable,
        "consumer groups": groups,
        "ss --kill": may_cut_connections(),
        "a file system of its own": disk is not None,
    }
    return {name: kind for name, kind in FAULTS.items() if there[kind.needs]}
