"""`python -m benchmarks.people_import`: one import of an HR export, told by JSON on its input, that answers with JSON.

A process of its own, so that the memory is that of the import.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import ran
from benchmarks.servers import Servers
from launcher.failure import LaunchFailed
from launcher.people_import import mapping
from launcher.people_import.feed import PeopleFeed
from launcher.people_import.importing import import_people
from launcher.people_import.reading import read
from shared.eventsourcing.kafka import Kafka
from shared.runtime.clock import now


async def imported(servers: Servers, folder: Path, *, people: int, seed: int) -> dict[str, Any]:
    """A made-up company of so many people employed, and its leavers, on the people feed: what its import counted.

    Raises:
        RuntimeError: a row was refused.
    """
    file = folder / "people.csv"
    await _generated(file, people, seed)
    task = {"bootstrap": servers.broker.bootstrap, "file": str(file), "folder": str(folder)}
    told = await ran("benchmarks.people_import", task)
    if told["refused"]:
        raise RuntimeError(f"{told['refused']} of {told['people']} people were refused")
    return told


async def _generated(file: Path, people: int, seed: int) -> None:
    command = ("-m", "launcher", "people", "generate", "--size", str(people), "--seed", str(seed), "--out", str(file))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=subprocess.DEVNULL)
    if await process.wait() != 0:
        raise LaunchFailed("trellis people generate failed")


class _Unseen:
    """Nobody looks at how far it is."""

    def begin(self, what: str, total: int | None) -> None:
        pass

    def advance(self, by: int) -> None:
        pass


async def _import(task: dict[str, str]) -> dict[str, Any]:
    """As `trellis people import` does it, from the file to the last acknowledged record."""
    file, folder = Path(task["file"]), Path(task["folder"])
    feed = PeopleFeed(Kafka(bootstrap=task["bootstrap"], idempotence=True))
    began, used = time.perf_counter(), time.process_time()
    found = mapping.beside(file)
    meaning = mapping.load(found) if found else mapping.Mapping()
    sheet, today = read(file, meaning), now().astimezone().date()
    result = await import_people(sheet, meaning, feed=feed, folder=folder, today=today, progress=_Unseen())
    return {
        "people": len(result.checked.mentioned),
        "refused": result.checked.refused,
        "records": len(result.changes.records),
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - used,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_import(json.load(sys.stdin)))))
