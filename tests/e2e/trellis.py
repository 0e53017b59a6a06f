"""The `trellis` command as a person runs it, on a state folder of a test's own."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.process import RunningProcess
from launcher.state import State


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command printed, and how it ended."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Trellis:
    """Commands on one state folder; `program` is what follows `python -m`."""

    folder: Path
    program: tuple[str, ...] = ("launcher",)

    async def run(self, *arguments: str, within: float = 120) -> Finished:
        """`trellis ARGUMENTS --folder ...`, to its end."""
        command = [sys.executable, "-m", *self.program, *arguments, "--folder", str(self.folder)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(within):
            output, _ = await process.communicate()
        return Finished(process.returncode or 0, output.decode())

    async def run_well(self, *arguments: str, within: float = 120) -> str:
        """The same for a command that must succeed: what it printed."""
        finished = await self.run(*arguments, within=within)
        assert finished.code == 0, finished.output
        return finished.output

    async def up(self, *arguments: str) -> str:
        """Everything is ready afterwards."""
        return await self.run_well("up", *arguments)

    async def down(self, *arguments: str) -> str:
        return await self.run_well("down", *arguments)

    async def status(self) -> dict[str, Any]:
        return json.loads((await self.run("status", "--json")).output)

    def processes(self) -> dict[str, RunningProcess]:
        """Every process that `up` recorded, by name."""
        return {recorded.name: recorded.process for recorded in State(self.folder).recorded()}
