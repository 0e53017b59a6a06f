"""Somebody at a terminal, who administers a service that runs."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers.service import RunningService


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a terminal in whose state folder a service runs."""

    folder: Path
    service: RunningService

    async def says(self, *arguments: str) -> tuple[int, str]:
        """The command's exit code and all that it printed."""
        command = [sys.executable, "-m", "launcher", *arguments, "--folder", str(self.folder)]
        pipe = subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdout=pipe, stderr=subprocess.STDOUT, env={"COLUMNS": "200"}
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()
