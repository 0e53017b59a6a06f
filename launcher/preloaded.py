"""Starts Python processes by forking one that has loaded what they share: each in a tenth of the time.

`python -m launcher.preloaded`: a line of JSON on its input starts a process; a line on its output gives its id, or its
exit code if that is to be waited for.
"""

import ctypes
import gc
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from launcher.failure import LaunchFailed, last_lines
from launcher.process import PROJECT, Interpreters, RunningProcess, Starter, make_room

_SHARED: Final = (
    "shared.runtime.administration",
    "shared.runtime.api",
    "shared.runtime.authentication",
    "shared.runtime.process",
    "shared.runtime.worker",
    "shared.schemas.published",
    "uvicorn.lifespan.on",
    "uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
_ROOM: Final = "." * 240
_ARGUMENTS_START, _ARGUMENTS_END = 47, 48  # of /proc/self/stat's fields, counted from 0


@contextmanager
def preloaded(folder: Path, log: Path) -> Generator[Starter]:
    """A way to start processes, which may be used at once: the loading goes on meanwhile.

    Where a process that has loaded libraries cannot be forked safely, each is started from nothing.
    """
    if sys.platform != "linux":
        yield Interpreters()
        return
    with log.open("wb") as errors, _forking(folder, errors.fileno()) as process:
        try:
            yield _Forks(process, log)
        finally:
            process.kill()  # what it started has left it


def _forking(folder: Path, errors: int) -> "subprocess.Popen[str]":
    """It ends when its input does; what it started does not."""
    return subprocess.Popen(
        [sys.executable, "-m", "launcher.preloaded", _ROOM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": PROJECT},
        start_new_session=True,
    )


class _Forks:
    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def start(
        self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path
    ) -> RunningProcess:
        make_room(log)
        running = RunningProcess.of(self._order(module, log, environment, folder, wait=False))
        if running is None:
            raise LaunchFailed(f"{' '.join(module)} ended at once. The end of {log}:\n{last_lines(log)}")
        return running

    def run(self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
        return self._order(module, log, environment, folder, wait=True)

    def _order(
        self, module: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path, *, wait: bool
    ) -> int:
        order = {"module": module, "log": str(log), "environment": {**environment}, "folder": str(folder)}
        orders, answers = self._process.stdin, self._process.stdout
        if orders is not None and answers is not None:
            with suppress(BrokenPipeError):
                orders.write(json.dumps({**order, "wait": wait}) + "\n")
                orders.flush()
                if answer := answers.readline():
                    return int(answer)
        raise LaunchFailed(f"No process can be started. The end of {self._log}:\n{last_lines(self._log)}")


def main() -> None:
    for name in _SHARED:
        with suppress(Exception):  # whoever needs it says what is wrong with it
            import_module(name)
    gc.collect()
    gc.freeze()  # a collection would write to, and so copy, every page that is shared
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if order["wait"] else child, flush=True)


def _become(order: Mapping[str, Any]) -> None:
    """Leaves what belongs to the starter behind and runs the module that was ordered."""
    os.setsid()
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for given, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(given, standard)
    os.close(nothing)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue] - it is a file
    _show_as([sys.executable, "-m", *order["module"]])
    sys.argv = order["module"]
    runpy.run_module(order["module"][0], run_name="__main__", alter_sys=True)


def _show_as(command: Sequence[str]) -> None:
    """What ps shows: the command that this process stands for, in the room that its own arguments take."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = (int(fields[place - 2]) for place in (_ARGUMENTS_START, _ARGUMENTS_END))
    shown = b"\0".join(word.encode() for word in command)[: end - start - 1]
    ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
