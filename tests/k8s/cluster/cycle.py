"""The whole demo through the Ingress, and once more with a worker of each service killed in the middle of it."""

import asyncio
import re
from asyncio.subprocess import Process
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from launcher.processes import SERVICES
from tests.k8s.cluster.kubectl import name_of
from tests.k8s.cluster.place import KAFKA_PORT, Place
from tests.k8s.cluster.seen import NotSeen, hold, until

_PEOPLE: Final = "launcher/company/hr_employees.csv"
_DONE: Final = re.compile(r"(\d+) commands in ([\d.]+) s")
_CYCLE_SECONDS: Final = 900
_COMMANDS_A_PERSON: Final = 15
"""Less than a cycle has (2,231 for 107 people), so that the last worker is killed well before the end."""


async def runs_through_the_ingress(place: Place) -> str:
    """Import, demo, reconciliation; the demo ends with an error where payroll differs by anything."""
    await until(lambda: _is_routed(place), within=60, what=f"{place.ingress} does not route to every service")
    place.write_target()
    async with place.kubectl.forwarding("service/kafka", KAFKA_PORT):
        await place.trellis("people", "import", _PEOPLE)
        commands, seconds = _played(await place.trellis("demo"))
        await place.trellis("reconcile")
    return f"{commands} commands in {seconds} s, difference 0"


async def survives_killed_workers(place: Place) -> str:
    """Each service's worker is deleted without grace at another moment of the cycle."""
    journal, usual = place.folder / "journal.jsonl", _COMMANDS_A_PERSON * len(place.company().people)
    journal.unlink(missing_ok=True)
    killed: list[str] = []
    async with (
        place.kubectl.forwarding("service/kafka", KAFKA_PORT),
        place.started("demo", "--journal", str(journal)) as demo,
        asyncio.timeout(_CYCLE_SECONDS),
    ):
        output = asyncio.create_task(demo.communicate())
        for n, service in enumerate(SERVICES, start=1):
            after = usual * n // (len(SERVICES) + 1)
            await _under_way(demo, journal, after)
            killed.append(f"{service} after {after}")
            await _kill_workers(place, service)
        said = (await output)[0].decode()
        hold(demo.returncode == 0, f"the demo ended with {demo.returncode}: {said[-600:]}")
        await place.trellis("reconcile")
    commands, seconds = _played(said)
    return f"workers killed: {', '.join(killed)} commands; {commands} commands in {seconds} s, difference 0"


async def _is_routed(place: Place) -> bool:
    """Who brings no token is refused by the services themselves, and not by the Ingress."""
    async with httpx.AsyncClient(base_url=place.ingress, timeout=5) as client:
        try:
            answers = [await client.get(f"/{path}?limit=1") for path in _LISTS]
        except httpx.TransportError:
            return False
    return all(answer.status_code == HTTPStatus.UNAUTHORIZED for answer in answers)


_LISTS: Final = ("goals/v1/goals", "feedback/v1/feedback", "reviews/v1/cycles", "rewards/v1/rewards")


async def _under_way(demo: Process, journal: Path, commands: int) -> None:
    while _lines(journal) < commands:
        if demo.returncode is not None:
            raise NotSeen(f"the demo ended with {demo.returncode} before {commands} commands")
        await asyncio.sleep(0.02)


def _lines(journal: Path) -> int:
    return len(journal.read_bytes().splitlines()) if journal.exists() else 0


async def _kill_workers(place: Place, service: str) -> None:
    pods = [name_of(pod) for pod in await place.kubectl.pods(service, "worker")]
    hold(pods, f"{service} has no worker to kill")
    await place.kubectl("delete", "pod", *pods, "--grace-period=0", "--force", within=60)


def _played(said: str) -> tuple[int, str]:
    found = _DONE.search(said)
    if found is None:
        raise NotSeen(f"the demo does not say what it did: {said[-600:]}")
    return int(found[1]), found[2]
