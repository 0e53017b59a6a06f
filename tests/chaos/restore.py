"""The last fault: PostgreSQL comes back from an older backup while Kafka has gone on. It must be refused as a fork.

What was acknowledged after the backup is gone with the disk; what must never happen is that what is acknowledged
after the restore is taken for something that Kafka has already, and dropped.
"""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from launcher.processes import SERVICES
from shared.eventsourcing import timers
from tests.chaos.rig import Rig
from tests.chaos.run import Run
from tests.chaos.service import witnessed
from tests.chaos.witness import testimony
from tests.e2e.acknowledged import audit_of, journal_of
from tests.e2e.published import follow, kafka_holds, records_of
from tests.e2e.refolded import read_models_equal_a_fold
from tests.e2e.soundness import Faults
from tests.e2e.stored import EventLog, event_log, streams_are_whole

NAME: Final = "PostgreSQL restored from a backup"
_DOOMED: Final = "(after the backup)"
"""The window of what goes with the disk: it is nobody's fault, and counted nowhere."""
_LOG: Final = "select state, error, log_id::text, position from log"
# what has an @ in its name is a build that is kept for a roll-back: it stays at the log that it served
_LEFT: Final = """select (select count(*) from events where position > (select position from log)) as unpublished,
                         (select count(*) from checkpoints
                           where stopped is not null and reader not like '%@%') as stopped"""
_BEHIND: Final = """select count(*) as behind from checkpoints c
                     where topic = $1 and reader not like '%@%'
                       and c.position < (select position from chain where chain.partition = c.partition)"""
_LOAD_SECONDS: Final = 10.0
_COMMAND_SECONDS: Final = 600.0


async def an_older_backup(run: Run) -> list[str]:
    """Back up, go on under load, restore, go on under load, look, fork, and compare everything again: what is wrong."""
    rig, faults = run.rig, Faults()
    backup = rig.installation.folder / "backup"
    await _with_postgres_down(rig, lambda data: _copy(data, backup))
    async with run.load(_DOOMED):
        await asyncio.sleep(_LOAD_SECONDS)
    before = await _positions(rig)
    await _with_postgres_down(rig, lambda data: _copy(backup, data))
    run.injected[NAME] += 1
    since = await _positions(rig)
    async with run.load(NAME):
        await asyncio.sleep(_LOAD_SECONDS)
    run.say(f"{NAME}: the stores go back by {sum(before.values()) - sum(since.values())} events")
    refused = await _refused(rig, [name for name in SERVICES if before[name] > since[name]], faults)
    await _fork(rig, faults)
    run.say(f"{NAME}: refused by the relays of {', '.join(refused)}; a new log of each is read")
    await _compare(run, since, faults)
    return faults.found


async def _with_postgres_down(rig: Rig, work: Callable[[Path], None]) -> None:
    await asyncio.to_thread(rig.server.stop)
    await asyncio.to_thread(work, rig.installation.folder / "postgres" / "data")
    await rig.bring_back()


def _copy(source: Path, target: Path) -> None:
    """With the owner, who is not us."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "--archive", str(source), str(target)], check=True)


async def _positions(rig: Rig) -> dict[str, int]:
    """How far each store is written."""
    rows = {name: await rig.query(name, "select coalesce(max(position), 0) as at from events") for name in SERVICES}
    return {name: found[0]["at"] for name, found in rows.items()}


async def _refused(rig: Rig, ahead: Sequence[str], faults: Faults, *, within: float = 60) -> list[str]:
    """The services whose relay says that the log has forked: all those of which Kafka holds more."""
    end, refused = time.monotonic() + within, list[str]()
    while time.monotonic() < end and set(refused) != set(ahead):
        await asyncio.sleep(0.5)
        said = {name: (await rig.query(name, _LOG))[0] for name in ahead}
        refused = [name for name, log in said.items() if log["state"] == "forked" and "log forked" in log["error"]]
    with faults.noted():
        assert ahead, "nothing was published after the backup: this proves nothing"
        assert set(refused) == set(ahead), f"only {refused} of {ahead} refused to go on as if nothing had happened"
    return refused


async def _fork(rig: Rig, faults: Faults) -> None:
    """What the person does: a new log of each service, and every command that `trellis log fork` then names."""
    for service in SERVICES:
        said = await rig.installation.trellis.run_well("log", "fork", service, "--reason", "restored from a backup")
        with faults.noted():
            assert "publishes from its first event again" in said, said
    await _until(lambda: _unpublished(rig), faults)
    for service in SERVICES:
        for command in _told(service):
            with faults.noted():
                await rig.installation.trellis.run_well(*command, within=_COMMAND_SECONDS)


def _told(service: str) -> list[list[str]]:
    """The rebuilding and following that a fork of this service asks for."""
    described = witnessed(f"services.{service}")
    rebuild = [["projections", "rebuild", service, projection.name] for projection in described.projections]
    reactions = [reaction.name for reaction in described.reactions] + ([timers.READER] if described.timers else [])
    return rebuild + [["log", "follow", service, reaction] for reaction in reactions]


async def _until(left: Callable[[], Awaitable[list[str]]], faults: Faults, *, within: float = 120) -> None:
    """Returns when nothing is left; notes what still is after `within` seconds."""
    end = time.monotonic() + within
    while (still := await left()) and time.monotonic() < end:  # noqa: ASYNC110 - the services are other processes
        await asyncio.sleep(0.5)
    with faults.noted():
        assert not still, f"after {within:.0f} s not everything came out again: {still}"


async def _compare(run: Run, since: Mapping[str, int], faults: Faults) -> None:
    """All that is stored comes out again under the new log, and read models are what it says."""
    rig = run.rig
    await _until(lambda: _left(rig), faults)
    around = rig.installation.addresses
    logs: dict[str, EventLog] = {name: await event_log(around.postgres, name) for name in SERVICES}
    journal = [line for line in journal_of(rig.installation.journal) if run.windows.fault_of(line["window"]) == NAME]
    for name, log in logs.items():
        new = (await rig.query(name, _LOG))[0]["log_id"]
        with faults.noted():
            streams_are_whole(log)
        with faults.noted():
            kafka_holds(log, follow(await records_of(around.broker.bootstrap, f"{name}.events"), log_id=new))
        with faults.noted():
            audit = await audit_of(around.postgres, log, journal, after=since[name])
            assert not audit.lost, f"{name} lost what it acknowledged after the restore: {audit.lost[:3]}"
            assert not audit.doubled, f"{name} did twice what was asked after the restore: {audit.doubled[:3]}"
        with faults.noted():
            said = await testimony(around.postgres, log)
            wrong = (len(said.lost), len(said.doubled), len(said.disordered))
            assert wrong == (0, 0, 0), f"the witness of {name}: (lost, doubled, disordered) {wrong}"
    with faults.noted():
        await read_models_equal_a_fold(around.postgres, logs)


async def _unpublished(rig: Rig) -> list[str]:
    """The services that have stored what is not in Kafka."""
    left = {name: (await rig.query(name, _LEFT))[0]["unpublished"] for name in SERVICES}
    return [f"{name}: {number} unpublished" for name, number in left.items() if number]


async def _left(rig: Rig) -> list[str]:
    """What is not published, not read, or stopped."""
    found = await _unpublished(rig)
    for name in SERVICES:
        stopped = (await rig.query(name, _LEFT))[0]["stopped"]
        behind = (await rig.query(name, _BEHIND, f"{name}.events"))[0]["behind"]
        if stopped or behind:
            found.append(f"{name}: {stopped} partitions stopped, {behind} behind")
    return found
