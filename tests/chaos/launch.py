"""`python -m tests.chaos.launch GUARD ...`: the `trellis` command, whose services have a witness, and a guard less."""

import sys
from dataclasses import replace
from typing import Any

from launcher import processes
from launcher.__main__ import app
from launcher.supervisor import Process


def witnessed(process: Process, guard: str) -> Process:
    """The same process of a service as `tests.chaos.service` runs it."""
    return replace(process, module=("tests.chaos.service", guard, *process.module))


def launch_without(guard: str) -> None:
    """Every process of a service is started so from now on."""
    plain = processes.role_process

    def role_process(*arguments: Any) -> Process:
        return witnessed(plain(*arguments), guard)

    processes.role_process = role_process


if __name__ == "__main__":
    launch_without(sys.argv.pop(1))
    app()
