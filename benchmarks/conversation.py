"""A process that is told by a line of JSON on its input and answers by a line of JSON, again and again."""

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.failure import LaunchFailed, last_lines


@dataclass(frozen=True, slots=True)
class Conversation:
    """A process to be told things, one after the other."""

    process: asyncio.subprocess.Process
    log: Path

    async def told(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """What the process answers.

        Raises:
            LaunchFailed: it ended instead.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task).encode() + b"\n")
        await self.process.stdin.drain()
        line = await self.process.stdout.readline()
        if not line:
            raise LaunchFailed(f"{self.log.stem} ended. The end of {self.log}:\n{last_lines(self.log)}")
        return json.loads(line)


@asynccontextmanager
async def conversation(command: Sequence[str], *, log: Path) -> AsyncGenerator[Conversation]:
    """A process for the block; it ends with its input. What it complains of goes to `log`."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output
        )
    try:
        yield Conversation(process, log)
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
